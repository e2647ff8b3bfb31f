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
    /// - Parameter done: called when they are taken, on the broadcast's event loop.
    func receive(_ events: [PublisherEvent], epoch: UInt64, done: @escaping @Sendable () -> Void) {
        if eventLoop.inEventLoop, bound.value.isLive(epoch) {
            bound.value.receive(events, epoch: epoch)
            done()
        } else {
            eventLoop.execute {
                bound.value.receive(events, epoch: epoch)
                done()
            }
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

    /// Breaks of the timeline or the format that one publisher may cause within 10 s: each is a segment of its own.
    private static let breaksLimit = 20
    /// Segments one publisher may make within 10 s, which is media at twenty times its speed.
    private static let segmentsLimit = 200
    /// How long segments are still delivered once the broadcast has ended.
    private static let deliveryGrace = TimeAmount.seconds(30)

    private let name: StreamName
    private let eventLoop: any EventLoop
    private let ingest: IngestContext
    private let release: () -> Bool
    private let logger: Logger
    private var state: State?
    private var breaks = RateCount()
    private var segments = RateCount()
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
        breaks = RateCount()
        segments = RateCount()
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
                let begun = rendition.segmentsBegun
                rendition.receive(packet, isDiscontinuity: times.isDiscontinuity)
                if rendition.segmentsBegun > begun { noteSegment(publisher) }
            }
        }
    }

    private func noteSegment(_ publisher: Publisher) {
        segments.note(.now(), beyond: Self.segmentsLimit) {
            end(publisher, rule: "too_many_segments", "it sends media far faster than it plays; ffmpeg needs -re")
        }
    }

    private func noteBreak(_ publisher: Publisher) {
        ingest.metrics.discontinuities.increment()
        breaks.note(.now(), beyond: Self.breaksLimit) {
            end(publisher, rule: "too_many_discontinuities", "its timestamps or formats jump all the time")
        }
    }

    /// Closes a publisher that no encoder behaves like.
    private func end(_ publisher: Publisher, rule: String, _ reason: String) {
        ingest.metrics.violation(rule: rule)
        logger.warning("publisher closed", metadata: ["rule": "\(rule)", "reason": "\(reason)"])
        publisher.close(.failed)
    }

    func publisherLeft(epoch: UInt64) {
        guard isLive(epoch) else { return }
        // What never produced anything has nothing to resume, and makes room at once.
        if rendition.segmentsBegun == 0, release() {
            state = .ended
            logger.info("publisher left without a segment")
            return
        }
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
