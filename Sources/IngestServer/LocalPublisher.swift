import Dispatch
import Media
import NIOCore
import RTMP

/// A publish that comes from a thread of this process instead of a connection. That thread alone uses it.
final class LocalPublisher {
    let epoch: UInt64
    private let name: StreamName
    private let broadcast: BroadcastHandle
    private let ingest: IngestContext
    private let registry: BroadcastRegistry
    /// Batches that may be on their way to the broadcast.
    private let room: DispatchSemaphore

    private static let batchesLimit = 8
    /// How long a broadcast may take to make room.
    private static let deliveryLimit = DispatchTimeInterval.seconds(10)

    /// Has the registry admit a publisher, whose broadcast lives on `eventLoop` if there is none yet.
    ///
    /// It takes no stream from another publisher, or the two would take it from each other for ever.
    init(
        _ name: StreamName, on eventLoop: any EventLoop, ingest: IngestContext, registry: BroadcastRegistry,
        close: @escaping @Sendable (RefusalReason) -> Void
    ) throws(AdmissionRefused) {
        guard !registry.hasPublisher(name) else { throw AdmissionRefused(reason: .alreadyPublishing) }
        let admission = eventLoop.submit {
            registry.admit(
                name, on: eventLoop, unixMilliseconds: IngestContext.unixMilliseconds, close: close)
        }
        switch try? admission.wait() {
        case .accepted(let broadcast, let epoch):
            self.name = name
            self.broadcast = broadcast
            self.epoch = epoch
            self.ingest = ingest
            self.registry = registry
            // It must not end below the number it began with.
            room = DispatchSemaphore(value: 0)
            for _ in 0..<Self.batchesLimit { room.signal() }
            ingest.publishers.changed(by: 1, ingest.metrics.publishers)
        case .refused(let reason):
            throw AdmissionRefused(reason: reason)
        case nil:
            throw AdmissionRefused(reason: .draining)
        }
    }

    /// The last call: the broadcast hears that nothing comes any more.
    func leave() {
        ingest.publishers.changed(by: -1, ingest.metrics.publishers)
        registry.publisherLeft(name, epoch: epoch)
    }

    /// Hands events over, when the broadcast has taken enough of those before; false when it does not.
    func send(_ events: [PublisherEvent]) -> Bool {
        guard !events.isEmpty else { return true }
        guard room.wait(timeout: .now() + Self.deliveryLimit) == .success else { return false }
        let room = room
        broadcast.receive(events, epoch: epoch) { room.signal() }
        return true
    }
}

struct AdmissionRefused: Error, Equatable {
    let reason: RefusalReason
}

extension PublisherEvent {
    /// A packet as it would have come over RTMP: its times in milliseconds, each rounded for itself, so that neither is
    /// more than half a millisecond off.
    static func media(_ packet: MediaPacket) -> PublisherEvent {
        let decodeTime = packet.decodeTime.rescaled(to: 1_000).value
        let difference = packet.presentationTime.rescaled(to: 1_000) - Timestamp.milliseconds(decodeTime)
        return .media(
            RawMedia(
                track: packet.track, timestamp: UInt32(truncatingIfNeeded: decodeTime),
                compositionTime: Int32(clamping: difference.value), isKeyframe: packet.isKeyframe, data: packet.data))
    }
}
