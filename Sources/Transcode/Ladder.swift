import CoreMetrics
package import HLS
package import Logging
package import Media
import NIOCore
import Synchronization

/// A broadcast's ladder: takes the source's packets, gives every rendition's.
///
/// ```
/// packets ─► PacketQueue ─► LadderSource ──frames──► FrameQueue ─► RenditionEncoder ─► packets
///   (any thread)            decodes, decides on cuts     (one a rendition) scales, draws, encodes
///                                  └──audio packets─────────────────────────────────► packets
/// ```
///
/// The source and each rendition have a thread of their own, lent for the ladder's life. Every queue is bounded.
/// What comes out of different threads is in order within a rendition: its boundaries and its video in the order of
/// their times; audio names the boundary it lies behind.
package final class Ladder: Sendable {
    /// What goes in, in the order of the broadcast.
    package enum Input: Sendable {
        /// A track's format, before its packets; it differs from the one before.
        case format(TrackFormat, framesPerSecond: Double?)
        case packet(MediaPacket, isDiscontinuity: Bool)
        /// A cut of the source to follow, before the packet it begins with.
        case boundary(SegmentBoundary)
        /// The publisher has left or changed; formats come anew.
        case interrupted
    }

    package enum Output: Sendable {
        /// The renditions there are to be, before anything else of them.
        case planned([String])
        /// A rendition's tracks from its next segment on, video first.
        case formats([TrackFormat], rendition: String)
        case boundary(SegmentBoundary, rendition: String)
        /// - boundary: the number of the last one before it.
        case packet(MediaPacket, renditions: [String], boundary: Int)
        /// A cut the ladder has decided itself, said once for all renditions.
        case cut(SegmentBoundary)
        /// Caption services seen for the first time.
        case captions(Set<CaptionService>)
        /// The rendition's encoder does not work; nothing more comes of it.
        case failed(rendition: String)
    }

    private struct State {
        var queue = PacketQueue()
        var isStopped = false
    }

    private let state = Mutex(State())
    private let source: LadderSource
    private let metrics = TranscodeMetrics()

    /// Nil when there is no thread left for it.
    ///
    /// - Parameters:
    ///   - ownCuts: how to cut where there is no `source` rendition to follow; nil to follow ``Input/boundary(_:)``.
    ///   - output: called on any of the ladder's threads.
    package init?(
        specs: [RenditionSpec], overlay: Overlay, ownCuts: Segmenter.Configuration?, threads: TranscodeThreads,
        logger: Logger, output: @escaping @Sendable ([Output]) -> Void
    ) {
        guard let eventLoop = threads.lend() else { return nil }
        source = LadderSource(
            specs: specs, overlay: overlay, ownCuts: ownCuts, eventLoop: eventLoop, threads: threads, metrics: metrics,
            logger: logger, output: output)
    }

    package func send(_ input: Input) {
        let (wakes, skipped) = state.withLock { state in
            guard !state.isStopped else { return (false, 0) }
            let before = state.queue.skippedPackets
            let wakes = state.queue.offer(input, now: MonotonicClock.nanoseconds)
            return (wakes, state.queue.skippedPackets - before)
        }
        if skipped > 0 { metrics.skippedPackets.increment(by: skipped) }
        if wakes { wake() }
    }

    /// Threads that a ladder of these takes.
    package static func threads(for specs: [RenditionSpec]) -> Int {
        specs.contains { $0.kind != .source } ? 1 + specs.count { $0.video != nil } : 0
    }

    /// Calls `done`, on any thread, when all that is in it has come out.
    package func drain(_ done: @escaping @Sendable () -> Void) {
        send(.interrupted)
        source.eventLoop.execute { [self] in
            take()
            source.assumeIsolated { $0.drain(done) }
        }
    }

    /// Takes nothing more; what is in it still comes out, then `done` is called, on any thread.
    package func finish(_ done: @escaping @Sendable () -> Void) {
        send(.interrupted)
        state.withLock { $0.isStopped = true }
        source.eventLoop.execute { [self] in
            take()
            source.assumeIsolated { $0.finish(done) }
        }
    }

    /// Gives up what is in it.
    package func stop() {
        state.withLock { state in
            state.isStopped = true
            state.queue = PacketQueue()
        }
        source.eventLoop.execute { [source] in source.assumeIsolated { $0.finish {} } }
    }

    private func next() -> Input? {
        let (input, skipped) = state.withLock { state in
            let before = state.queue.skippedPackets
            let input = state.queue.take(now: MonotonicClock.nanoseconds)
            return (input, state.queue.skippedPackets - before)
        }
        if skipped > 0 { metrics.skippedPackets.increment(by: skipped) }
        return input
    }

    private func wake() {
        source.eventLoop.execute { [self] in take() }
    }

    private func take() {
        while let input = next() {
            source.assumeIsolated { $0.receive(input) }
        }
    }
}
