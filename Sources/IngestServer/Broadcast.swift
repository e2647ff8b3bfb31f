import CoreMetrics
import HLS
import Logging
import Media
import NIOCore
import RTMP
import Transcode
import Upload

/// A stream's life on its playlists, across the publishers that come and go. Owned by one event loop.
///
/// | state | entered when | left when |
/// |---|---|---|
/// | live | a publisher arrived | it left → resumable; a later one arrived → live |
/// | resumable | the publisher left | a publisher arrived → live; the resume window is over → ended |
/// | ended | the window is over (playlists end), or an origin knows a later publisher (they stay as they are) | – |
///
/// What a publisher sends goes to the `source` rendition, whose cuts the ladder then follows, and to the ladder, which
/// without `source` decides on its own.
final class Broadcast {
    private enum State {
        case live(Publisher)
        case resumable(timer: Scheduled<Void>)
        case ended
    }

    /// How long segments are still delivered once the broadcast has ended.
    private static let deliveryGrace = TimeAmount.seconds(30)

    private let eventLoop: any EventLoop
    private let ingest: IngestContext
    private let release: () -> Bool
    private let broadcast: BroadcastContext
    private var state: State?
    /// Of the present publisher.
    private var rules = PublisherRules()
    private var timeline = Timeline()
    private var tracks = TrackSet()
    /// Cuts the source's packets; nil where the ladder cuts what it encodes.
    private var cutter: SegmentCutter?
    /// The last boundary the cutter has made.
    private var boundary = 0
    private let renditions: BroadcastRenditions
    private var ladder: Ladder?
    private var hasToldUntransmuxable = false

    init(_ name: StreamName, on eventLoop: any EventLoop, ingest: IngestContext, release: @escaping () -> Bool) {
        self.eventLoop = eventLoop
        self.ingest = ingest
        self.release = release
        broadcast = BroadcastContext(name, ingest: ingest)
        var cutting = Segmenter.Configuration()
        cutting.segmentDuration = ingest.configuration.segmentDuration
        let specs = ingest.configuration.renditions
        let hasSource = specs.contains { $0.kind == .source }
        let hasLadder = specs.contains { $0.kind != .source }
        renditions = BroadcastRenditions(broadcast, hasLadder: hasLadder)
        if hasSource { cutter = SegmentCutter(configuration: cutting) }
        guard hasLadder else { return }
        cutting.cutsAnywhere = true
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        ladder = Ladder(
            specs: specs, overlay: ingest.configuration.overlay, ownCuts: hasSource ? nil : cutting,
            threads: ingest.transcodeThreads, logger: broadcast.logger
        ) { outputs in
            eventLoop.execute { bound.value.receive(outputs) }
        }
        if ladder == nil { logger.warning("no ladder: no threads are left") }
    }

    private var logger: Logger { broadcast.logger }

    func isLive(_ epoch: UInt64) -> Bool {
        if case .live(let publisher) = state { publisher.epoch == epoch } else { false }
    }

    // MARK: What publishers do

    func publisherArrived(_ publisher: Publisher) {
        switch state {
        case nil:
            logger.info("broadcast started", metadata: ["broadcast.id": "\(broadcast.identity.id)"])
        case .live:
            logger.info("publisher taken over")
        case .resumable(let timer):
            timer.cancel()
            ingest.metrics.resumptions.increment()
            logger.info("broadcast resumed")
        case .ended:
            return
        }
        state = .live(publisher)
        rules = PublisherRules()
        hasToldUntransmuxable = false
        timeline.restart()
        interrupt()
        tracks.publisherArrived()
        renditions.publisherArrived(epoch: publisher.epoch)
    }

    func receive(_ events: [PublisherEvent], epoch: UInt64) {
        guard case .live(let publisher) = state, publisher.epoch == epoch else { return }
        for event in events {
            switch event {
            case .declared(let declaration):
                tracks.declaration = declaration
                renditions.declared(declaration)
            case .format(let format): formatArrived(format, from: publisher)
            case .media(let media): receive(media, from: publisher)
            }
        }
    }

    private func formatArrived(_ format: TrackFormat, from publisher: Publisher) {
        let isReplaced = tracks.kinds.contains(format.kind)
        guard tracks.formatArrived(format) else { return }
        logger.info("track format", metadata: ["track": "\(format.kind)", "codecs": "\(format.codecs)"])
        if cutter != nil {
            pass(cutter?.formatsChanged(to: tracks.kinds))
            renditions.formats(tracks.formats.filter(\.isTransmuxable), of: RenditionSpec.source.name)
            if !format.isTransmuxable, !hasToldUntransmuxable {
                hasToldUntransmuxable = true
                logger.warning(
                    "a track is not in the source rendition: HLS takes H.264 and AAC; other renditions are encoded",
                    metadata: ["codec": "\(format.codecs)"])
            }
        }
        ladder?.send(.format(format, framesPerSecond: tracks.declaration.framesPerSecond))
        if isReplaced { noteBreak(publisher) }
    }

    private func receive(_ media: PublisherEvent.RawMedia, from publisher: Publisher) {
        guard tracks.takes(media) else { return }
        ingest.metrics.accessUnits.increment()
        let times = timeline.place(
            media.track, rawTimestamp: media.timestamp, compositionTime: media.compositionTime)
        if times.isDiscontinuity { noteBreak(publisher) }
        if times.isEarly { return }
        let packet = MediaPacket(
            track: media.track, decodeTime: times.decodeTime, presentationTime: times.presentationTime,
            isKeyframe: media.isKeyframe, data: media.data)
        switch cutter?.receive(
            track: packet.track, decodeTime: packet.decodeTime, presentationTime: packet.presentationTime,
            isKeyframe: packet.isKeyframe, isDiscontinuity: times.isDiscontinuity,
            now: Int64(IngestContext.unixMilliseconds))
        {
        case nil, .append: receiveInSource(packet)
        case .drop: if packet.track == .audio { receiveInSource(packet) }
        case .boundary(let boundary):
            pass(boundary)
            receiveInSource(packet)
        }
        ladder?.send(.packet(packet, isDiscontinuity: times.isDiscontinuity))
    }

    private func receiveInSource(_ packet: MediaPacket) {
        guard cutter != nil else { return }
        renditions.receive(packet, in: RenditionSpec.source.name, behind: boundary)
    }

    /// A cut of the source, for all renditions.
    private func pass(_ boundary: SegmentBoundary?) {
        guard let boundary else { return }
        self.boundary = boundary.number
        if case .live(let publisher) = state { count(boundary, of: publisher) }
        renditions.boundary(boundary, in: RenditionSpec.source.name)
        ladder?.send(.boundary(boundary))
    }

    private func count(_ boundary: SegmentBoundary, of publisher: Publisher) {
        if let closed = boundary.closed {
            if closed.isForced { ingest.metrics.forcedCuts.increment() }
            if closed.hasRaisedTargetDuration, cutter != nil { adviseOnKeyframes(closed) }
        }
        if boundary.begun != nil, let violation = rules.segmentBegun(.now()) { end(publisher, violation) }
    }

    private func adviseOnKeyframes(_ closed: Segmenter.Closed) {
        logger.warning(
            "the encoder's keyframe interval is longer than the segment duration; segments follow the keyframes",
            metadata: [
                "keyframe.interval.seconds": "\(closed.duration.seconds)",
                "target.duration.seconds": "\(closed.targetDuration)",
                "advice": "set the encoder's keyframe interval to \(ingest.configuration.segmentDuration)",
            ])
    }

    private func noteBreak(_ publisher: Publisher) {
        ingest.metrics.discontinuities.increment()
        if let violation = rules.broke(.now()) { end(publisher, violation) }
    }

    /// Closes a publisher that no encoder behaves like.
    private func end(_ publisher: Publisher, _ violation: PublisherRules.Violation) {
        ingest.metrics.violation(rule: violation.rule)
        logger.warning(
            "publisher closed", metadata: ["rule": "\(violation.rule)", "reason": "\(violation.reason)"])
        publisher.close(.failed)
    }

    func publisherLeft(epoch: UInt64) {
        guard isLive(epoch) else { return }
        // What never produced anything has nothing to resume, and makes room at once.
        if renditions.segmentsBegun == 0, release() {
            state = .ended
            renditions.abandon()
            ladder?.stop()
            ladder = nil
            logger.info("publisher left without a segment")
            return
        }
        interrupt()
        let window = ingest.configuration.resumeWindow
        logger.info("publisher left", metadata: ["resume.window": "\(window)"])
        let timer = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(window)) { [weak self] () -> Void in
            self?.resumeWindowPassed()
        }
        state = .resumable(timer: timer)
    }

    /// The segments being produced end with what there is of them.
    private func interrupt() {
        pass(cutter?.interrupted())
        ladder?.send(.interrupted)
    }

    // MARK: What the ladder makes of it

    private func receive(_ outputs: [Ladder.Output]) {
        for output in outputs {
            switch output {
            case .formats(let formats, let name): renditions.formats(formats, of: name)
            case .boundary(let boundary, let name): renditions.boundary(boundary, in: name)
            case .packet(let packet, let names, let boundary):
                for name in names { renditions.receive(packet, in: name, behind: boundary) }
            case .cut(let boundary):
                if case .live(let publisher) = state { count(boundary, of: publisher) }
            case .planned(let names): renditions.planned(names)
            case .captions(let services): renditions.captions(services)
            case .failed(let name): renditions.failed(name)
            }
        }
    }

    // MARK: Ends

    /// The name is released when nothing of this broadcast comes any more: its successor writes the same playlists.
    private func resumeWindowPassed() {
        guard case .resumable = state else { return }
        guard let ladder else { return end() }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let eventLoop = eventLoop
        ladder.drain { eventLoop.execute { bound.value.end() } }
    }

    private func end() {
        guard case .resumable = state, release() else { return }
        state = .ended
        logger.info("broadcast ended")
        _ = finishLadder()
        renditions.end()
        eventLoop.assumeIsolated().scheduleTask(in: Self.deliveryGrace) { [renditions] in renditions.forget() }
    }

    /// Fulfilled when all that the ladder had begun has come out of it.
    private func finishLadder() -> EventLoopFuture<Void> {
        guard let ladder else { return eventLoop.makeSucceededVoidFuture() }
        let promise = eventLoop.makePromise(of: Void.self)
        ladder.finish { promise.succeed() }
        self.ladder = nil
        return promise.futureResult
    }

    /// Another ingest publishes the stream: leaves its playlists alone from here on.
    func superseded() {
        if case .resumable(let timer) = state { timer.cancel() }
        state = .ended
        renditions.abandon()
        ladder?.stop()
        ladder = nil
        logger.warning("broadcast given up: an origin knows a later publisher of this stream")
    }

    /// The ingest stops: what has been produced is finished, and the playlists stay open for the next ingest.
    func drained() -> EventLoopFuture<Void> {
        if case .resumable(let timer) = state { timer.cancel() }
        state = .ended
        interrupt()
        return finishLadder()
    }
}
