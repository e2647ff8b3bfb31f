import NIOCore
import RTMP
import Synchronization
import Transcode

/// Which broadcasts there are, and which publisher each belongs to.
final class BroadcastRegistry: Sendable {
    private struct Entry {
        let broadcast: BroadcastHandle
        var publisher: Publisher?
        /// Of the publisher, or of the last one there was.
        var epoch: UInt64
        var takeovers = RateCount()
    }

    /// Publishers that take one stream over within 10 s; more are no encoders, and would keep the broadcast busy.
    private static let takeoversLimit = 20

    private struct State {
        var entries: [StreamName: Entry] = [:]
        var lastEpoch: UInt64 = 0
        var isDraining = false
    }

    private let state = Mutex(State())
    private let ingest: IngestContext

    init(ingest: IngestContext) {
        self.ingest = ingest
    }

    enum Admission {
        case accepted(BroadcastHandle, epoch: UInt64)
        case refused(RefusalReason)
    }

    /// A connection on `eventLoop` wants to publish.
    /// - Parameter unixMilliseconds: now; it numbers the publisher, and larger than every one before it.
    func admit(
        _ name: StreamName, on eventLoop: any EventLoop, unixMilliseconds: UInt64,
        close: @escaping @Sendable (RefusalReason) -> Void
    ) -> Admission {
        var displaced: Publisher?
        let admission = state.withLock { state -> Admission in
            if state.isDraining { return .refused(.draining) }
            let previous = state.entries[name]
            if previous?.publisher != nil, ingest.configuration.onConflict == .refuse {
                return .refused(.alreadyPublishing)
            }
            guard previous != nil || state.entries.count < ingest.configuration.publishersLimit else {
                return .refused(.full)
            }
            guard ingest.transcodeThreads.hasRoom(for: previous == nil ? ingest.threadsForLadder : 0) else {
                return .refused(.full)
            }
            var takeovers = previous?.takeovers ?? RateCount()
            if previous?.publisher != nil, takeovers.note(.now(), beyond: Self.takeoversLimit) {
                state.entries[name]?.takeovers = takeovers
                return .refused(.alreadyPublishing)
            }
            displaced = previous?.publisher
            state.lastEpoch = max(unixMilliseconds, state.lastEpoch + 1)
            let publisher = Publisher(epoch: state.lastEpoch, close: close)
            let broadcast =
                previous?.broadcast
                ?? BroadcastHandle(name, on: eventLoop, ingest: ingest) { [weak self] in self?.release(name) ?? true }
            state.entries[name] = Entry(
                broadcast: broadcast, publisher: publisher, epoch: publisher.epoch, takeovers: takeovers)
            // Within the lock, so that the broadcast hears of its publishers in the order of their epochs.
            broadcast.eventLoop.execute { broadcast.value.publisherArrived(publisher) }
            return .accepted(broadcast, epoch: publisher.epoch)
        }
        displaced?.close(.takenOver)
        return admission
    }

    /// Whether somebody publishes the stream now.
    func hasPublisher(_ name: StreamName) -> Bool { state.withLock { $0.entries[name]?.publisher != nil } }

    /// A publisher's connection has ended.
    func publisherLeft(_ name: StreamName, epoch: UInt64) {
        state.withLock { state in
            guard let entry = state.entries[name], entry.publisher?.epoch == epoch else { return }
            state.entries[name]?.publisher = nil
            let broadcast = entry.broadcast
            broadcast.eventLoop.execute { broadcast.value.publisherLeft(epoch: epoch) }
        }
    }

    /// A broadcast's resume window is over: true when it is to end, because no publisher has come. When the ingest stops
    /// it is not: the next ingest may resume it.
    private func release(_ name: StreamName) -> Bool {
        state.withLock { state in
            guard !state.isDraining, let entry = state.entries[name], entry.publisher == nil else { return false }
            state.entries[name] = nil
            return true
        }
    }

    /// An origin knows a later publisher of this stream: ours is the older one and gives way.
    func superseded(_ name: StreamName, epoch: UInt64) {
        let closed = state.withLock { state -> Entry? in
            guard let entry = state.entries[name], entry.epoch == epoch else { return nil }
            state.entries[name] = nil
            return entry
        }
        guard let closed else { return }
        let broadcast = closed.broadcast
        broadcast.eventLoop.execute { broadcast.value.superseded() }
        closed.publisher?.close(.takenOver)
    }

    /// Closes all publishers, takes no further ones, and ends when every broadcast has finished its segments.
    func drain() async {
        let entries = state.withLock { state -> [Entry] in
            state.isDraining = true
            return Array(state.entries.values)
        }
        for entry in entries { entry.publisher?.close(.draining) }
        let ends = entries.map { entry in
            let broadcast = entry.broadcast
            return broadcast.eventLoop.flatSubmit { broadcast.value.drained() }
        }
        for end in ends { try? await end.get() }
    }
}
