import CoreMetrics
import Glibc
import Logging
import MemoryFile
import NIOCore
import NIOPosix
import OriginStore
import Synchronization

/// What all connections of an origin share.
final class OriginContext: Sendable {
    let configuration: OriginConfiguration
    private let connectionLimit: Int
    let store: ObjectStore
    let metrics = OriginMetrics()
    let logger: Logger
    /// Of publishers with a listener of their own, and of all others.
    private let publisherAddresses: SharedAddressTable
    private let readerAddresses: SharedAddressTable
    let connections: ConnectionSet
    /// Streams of HTTP/2 that are open.
    let streams = Atomic<Int>(0)
    /// Exchanges that follow a growing object, or wait for a part of one.
    let viewers = Atomic<Int>(0)
    /// Bytes copied for single readers that are not sent yet.
    let copiedBytes = Atomic<Int>(0)
    /// The most the store held since memory was last given back.
    private let mostHeldBytes = Atomic<Int>(0)
    private let rules: Mutex<AccessRules>
    private let lines = Mutex(LogGate(linesPerSecond: 20))
    private let processTag: String
    private let versions = Atomic<UInt64>(0)

    init(
        configuration: OriginConfiguration, access: AccessRules, store: ObjectStore, logger: Logger,
        eventLoops: some Sequence<any EventLoop>
    ) {
        self.configuration = configuration
        self.logger = logger
        self.store = store
        rules = Mutex(access)
        connectionLimit = configuration.connectionLimit ?? 10_000
        // Readers who take all there is are not to keep a publisher out, not even one behind the same address.
        let reserve = configuration.publishListen == nil ? 0 : (connectionLimit + 14) / 16
        connections = ConnectionSet(limit: connectionLimit, reserve: reserve, eventLoops: eventLoops)
        let limits = AddressTable.Limits(
            connections: configuration.connectionsPerAddress ?? max(1, connectionLimit / 2),
            errorsPerSecond: configuration.errorRate > 0 ? configuration.errorRate : nil)
        readerAddresses = SharedAddressTable(limits: limits)
        publisherAddresses =
            configuration.publishListen == nil ? readerAddresses : SharedAddressTable(limits: limits)
        processTag = String(UInt64.random(in: .min ... .max), radix: 36)
    }

    // MARK: Access

    var access: AccessRules { rules.withLock { $0 } }

    /// From now on these hold, for new requests and new connections.
    func replace(_ access: AccessRules) {
        rules.withLock { $0 = access }
    }

    // MARK: Connections

    /// The table that counts the peers of a listener.
    func addresses(of listener: ListenerRole) -> SharedAddressTable {
        listener.mayPublish ? publisherAddresses : readerAddresses
    }

    /// Whether there are more streams of HTTP/2 than there may be connections.
    var hasManyStreams: Bool { streams.load(ordering: .relaxed) > connectionLimit }

    /// Whether slow readers hold more copies than the origin has memory for: an eighth of its limit.
    var hasManyCopies: Bool { copiedBytes.load(ordering: .relaxed) > configuration.store.memoryLimitBytes / 8 }

    var isDraining: Bool { connections.isDraining }

    /// Takes in a connection; false where there are too many in all, or from its address.
    func admit(_ door: ConnectionDoor, on eventLoop: any EventLoop, _ peer: PeerAddress?) -> Bool {
        let addresses = addresses(of: door.listener)
        if let peer, !addresses.opened(peer, now: .now()) { return false }
        if connections.insert(door, on: eventLoop) { return true }
        if let peer { addresses.closed(peer) }
        return false
    }

    func dismiss(_ door: ConnectionDoor, on eventLoop: any EventLoop, _ peer: PeerAddress?) {
        connections.remove(door, on: eventLoop)
        if let peer { addresses(of: door.listener).closed(peer) }
    }

    // MARK: Responses

    /// A strong entity tag that no other upload has or had, across restarts too.
    func nextEntityTag() -> String {
        let version = versions.wrappingAdd(1, ordering: .relaxed).newValue
        return "\"\(processTag)-\(String(version, radix: 36))\""
    }

    /// Seconds since 1970.
    var unixTime: Int { time(nil) }

    /// Tells of what a peer can bring about, unless there is too much of it to tell of each.
    func logSparingly(_ message: Logger.Message, _ metadata: Logger.Metadata) {
        guard let heldBack = lines.withLock({ $0.pass(now: .now()) }) else { return }
        var metadata = metadata
        if heldBack > 0 { metadata["untold"] = "\(heldBack)" }
        logger.info(message, metadata: metadata)
    }

    // MARK: Time

    /// Expires what is due and brings the gauges up to date.
    func sweep(now: NIODeadline) {
        let sweep = store.timePassed(now: now)
        if sweep.expired > 0 { metrics.expired.increment(by: sweep.expired) }
        if sweep.aborted > 0 { metrics.aborted.increment(by: sweep.aborted) }
        let heldBytes = store.heldBytes
        metrics.heldBytes.record(heldBytes)
        giveBackMemory(heldBytes: heldBytes)
        metrics.record(store.objectCounts)
        metrics.playlists.record(store.counts.playlists)
        metrics.connections.record(connections.count)
        metrics.viewers.record(viewers.load(ordering: .relaxed))
    }

    /// Gives memory back to the system once much less is held than was.
    private func giveBackMemory(heldBytes: Int) {
        let most = max(mostHeldBytes.load(ordering: .relaxed), heldBytes)
        let isMuchLess = most - heldBytes >= 64 << 20
        mostHeldBytes.store(isMuchLess ? heldBytes : most, ordering: .relaxed)
        if isMuchLess { NIOThreadPool.singleton.submit { _ in Heap.giveBack() } }
    }
}
