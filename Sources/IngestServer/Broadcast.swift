import CoreMetrics
import Logging
import Media
import NIOCore

/// A broadcast from elsewhere: where it runs, and it itself once there.
struct BroadcastHandle: Sendable {
    let eventLoop: any EventLoop
    private let bound: NIOLoopBound<Broadcast>

    /// Makes the broadcast. Call it on the event loop it is to live on.
    /// - Parameter release: asked when the resume window after a publisher is over; false keeps the broadcast.
    init(
        _ name: StreamName, on eventLoop: any EventLoop, ingest: IngestContext,
        release: @escaping (_ epoch: UInt64) -> Bool
    ) {
        self.eventLoop = eventLoop
        bound = NIOLoopBound(
            Broadcast(name, on: eventLoop, ingest: ingest, release: release), eventLoop: eventLoop)
    }

    /// On its event loop alone.
    var value: Broadcast { bound.value }

    /// Hands over what a publisher sent, here if this is the broadcast's event loop.
    func receive(_ events: [PublisherEvent], epoch: UInt64) {
        if eventLoop.inEventLoop {
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
        case live(epoch: UInt64)
        case resumable(after: UInt64, timer: Scheduled<Void>)
        case ended
    }

    private let name: StreamName
    private let eventLoop: any EventLoop
    private let ingest: IngestContext
    private let release: (UInt64) -> Bool
    private let logger: Logger
    private var state = State.live(epoch: 0)
    private var timeline = Timeline()
    private var rendition: Rendition

    init(
        _ name: StreamName, on eventLoop: any EventLoop, ingest: IngestContext, release: @escaping (UInt64) -> Bool
    ) {
        self.name = name
        self.eventLoop = eventLoop
        self.ingest = ingest
        self.release = release
        var logger = ingest.logger
        logger[metadataKey: "stream"] = "\(name.path)"
        self.logger = logger
        rendition = Rendition(name, ingest: ingest, logger: logger)
    }

    func publisherArrived(epoch: UInt64) {
        switch state {
        case .live(0):
            logger.info("broadcast started", metadata: ["broadcast.id": "\(rendition.broadcastID)"])
        case .live:
            logger.info("publisher taken over")
            rendition.publisherLeft()
        case .resumable(_, let timer):
            timer.cancel()
            ingest.metrics.resumptions.increment()
            logger.info("broadcast resumed")
        case .ended:
            return
        }
        state = .live(epoch: epoch)
        timeline.restart()
        rendition.publisherArrived(epoch: epoch)
    }

    func receive(_ events: [PublisherEvent], epoch: UInt64) {
        guard case .live(epoch) = state else { return }
        for event in events {
            switch event {
            case .declared(let declaration): rendition.declared(declaration)
            case .format(let format): rendition.formatArrived(format)
            case .media(let media):
                guard rendition.takes(media) else { continue }
                let times = timeline.place(
                    media.track, rawTimestamp: media.timestamp, compositionTime: media.compositionTime)
                if times.isDiscontinuity { ingest.metrics.discontinuities.increment() }
                let packet = MediaPacket(
                    track: media.track, decodeTime: times.decodeTime, presentationTime: times.presentationTime,
                    isKeyframe: media.isKeyframe, data: media.data)
                rendition.receive(packet, isDiscontinuity: times.isDiscontinuity)
            }
        }
    }

    func publisherLeft(epoch: UInt64) {
        guard case .live(epoch) = state else { return }
        rendition.publisherLeft()
        let window = ingest.configuration.resumeWindow
        logger.info("publisher left", metadata: ["resume.window": "\(window)"])
        let timer = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(window)) { [weak self] () -> Void in
            self?.resumeWindowPassed(epoch)
        }
        state = .resumable(after: epoch, timer: timer)
    }

    private func resumeWindowPassed(_ epoch: UInt64) {
        guard case .resumable(epoch, _) = state, release(epoch) else { return }
        state = .ended
        rendition.end()
        logger.info("broadcast ended")
    }

    /// Another ingest publishes the stream: leaves its playlists alone from here on.
    func superseded() {
        if case .resumable(_, let timer) = state { timer.cancel() }
        state = .ended
        rendition.abandon()
        logger.warning("broadcast given up: an origin knows a later publisher of this stream")
    }

    /// The ingest stops: what has been produced is finished, and the playlists stay open for the next ingest.
    func drained() {
        if case .resumable(_, let timer) = state { timer.cancel() }
        state = .ended
        rendition.publisherLeft()
    }
}
