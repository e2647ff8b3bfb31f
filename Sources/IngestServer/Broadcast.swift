import CoreMetrics
import Logging
import Media
import NIOCore
import RTMP

/// A broadcast from elsewhere: where it runs, and it itself once there.
struct BroadcastHandle: Sendable {
    let eventLoop: any EventLoop
    private let bound: NIOLoopBound<Broadcast>

    /// Makes the broadcast. Call it on the event loop it is to live on.
    /// - Parameter release: asked when the resume window is over; false keeps the broadcast.
    init(
        _ name: StreamName, on eventLoop: any EventLoop, ingest: IngestContext,
        release: @escaping () -> Bool
    ) {
        self.eventLoop = eventLoop
        bound = NIOLoopBound(
            Broadcast(name, on: eventLoop, ingest: ingest, release: release), eventLoop: eventLoop)
    }

    /// On its event loop alone.
    var value: Broadcast { bound.value }

    /// Hands over what a publisher sent, at once if this is the broadcast's event loop and it has heard of the publisher.
    func receive(_ events: [PublisherEvent], epoch: UInt64) {
        if eventLoop.inEventLoop, bound.value.isLive(epoch) {
            bound.value.receive(events, epoch: epoch)
        } else {
            eventLoop.execute { bound.value.receive(events, epoch: epoch) }
        }
    }
}

/// A stream's life on its playlists, across the publishers that come and go. Owned by one event loop.
///
/// | state | entered when | left when |
/// |---|---|---|
/// | live | a publisher arrived | it left → resumable; a later one arrived → live |
/// | resumable | the publisher left | a publisher arrived → live; the resume window is over → ended |
/// | ended | the window is over (playlists end), or an origin knows a later publisher (they stay as they are) | – |
final class Broadcast {
    private enum State {
        case live(Publisher)
        case resumable(timer: Scheduled<Void>)
        case ended
    }

    /// Breaks of the timeline or the format that one publisher may cause within `breakPeriod`: each is a segment of its own.
    private static let breaksLimit = 20
    private static let breakPeriod = TimeAmount.seconds(10)
    /// How long segments are still delivered once the broadcast has ended.
    private static let deliveryGrace = TimeAmount.seconds(30)

    private let name: StreamName
    private let eventLoop: any EventLoop
    private let ingest: IngestContext
    private let release: () -> Bool
    private let logger: Logger
    private var state: State?
    private var breaks = 0
    private var breaksSince = NIODeadline.now()
    private var timeline = Timeline()
    private var rendition: Rendition

    init(_ name: StreamName, on eventLoop: any EventLoop, ingest: IngestContext, release: @escaping () -> Bool) {
        self.name = name
        self.eventLoop = eventLoop
        self.ingest = ingest
        self.release = release
        var logger = ingest.logger
        logger[metadataKey: "stream"] = "\(name.path)"
        self.logger = logger
        rendition = Rendition(name, ingest: ingest, logger: logger)
    }

    func isLive(_ epoch: UInt64) -> Bool {
        if case .live(let publisher) = state { publisher.epoch == epoch } else { false }
    }

    func publisherArrived(_ publisher: Publisher) {
        switch state {
        case nil:
            logger.info("broadcast started", metadata: ["broadcast.id": "\(rendition.broadcastID)"])
        case .live:
            logger.info("publisher taken over")
            rendition.publisherLeft()
        case .resumable(let timer):
            timer.cancel()
            ingest.metrics.resumptions.increment()
            logger.info("broadcast resumed")
        case .ended:
            return
        }
        state = .live(publisher)
        timeline.restart()
        rendition.publisherArrived(epoch: publisher.epoch)
    }

    func receive(_ events: [PublisherEvent], epoch: UInt64) {
        guard case .live(let publisher) = state, publisher.epoch == epoch else { return }
        for event in events {
            switch event {
            case .declared(let declaration): rendition.declared(declaration)
            case .format(let format):
                if rendition.formatArrived(format) { noteBreak(publisher) }
            case .media(let media):
                guard rendition.takes(media) else { continue }
                let times = timeline.place(
                    media.track, rawTimestamp: media.timestamp, compositionTime: media.compositionTime)
                if times.isDiscontinuity { noteBreak(publisher) }
                let packet = MediaPacket(
                    track: media.track, decodeTime: times.decodeTime, presentationTime: times.presentationTime,
                    isKeyframe: media.isKeyframe, data: media.data)
                rendition.receive(packet, isDiscontinuity: times.isDiscontinuity)
            }
        }
    }

    /// Closes a publisher that breaks its stream faster than any encoder does.
    private func noteBreak(_ publisher: Publisher) {
        ingest.metrics.discontinuities.increment()
        let now = NIODeadline.now()
        if now - breaksSince > Self.breakPeriod { (breaks, breaksSince) = (0, now) }
        breaks += 1
        guard breaks == Self.breaksLimit else { return }
        ingest.metrics.violation(rule: "too_many_discontinuities")
        logger.warning(
            "publisher closed",
            metadata: [
                "rule": "too_many_discontinuities",
                "reason": "its timestamps or formats jumped \(breaks) times within 10 s",
            ])
        publisher.close(.failed)
    }

    func publisherLeft(epoch: UInt64) {
        guard isLive(epoch) else { return }
        rendition.publisherLeft()
        let window = ingest.configuration.resumeWindow
        logger.info("publisher left", metadata: ["resume.window": "\(window)"])
        let timer = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(window)) { [weak self] () -> Void in
            self?.resumeWindowPassed()
        }
        state = .resumable(timer: timer)
    }

    private func resumeWindowPassed() {
        guard case .resumable = state, release() else { return }
        state = .ended
        rendition.end()
        logger.info("broadcast ended")
        let rendition = rendition
        eventLoop.assumeIsolated().scheduleTask(in: Self.deliveryGrace) { rendition.forget() }
    }

    /// Another ingest publishes the stream: leaves its playlists alone from here on.
    func superseded() {
        if case .resumable(let timer) = state { timer.cancel() }
        state = .ended
        rendition.abandon()
        logger.warning("broadcast given up: an origin knows a later publisher of this stream")
    }

    /// The ingest stops: what has been produced is finished, and the playlists stay open for the next ingest.
    func drained() {
        if case .resumable(let timer) = state { timer.cancel() }
        state = .ended
        rendition.publisherLeft()
    }
}
