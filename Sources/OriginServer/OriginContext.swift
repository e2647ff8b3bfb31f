import CoreMetrics
import Glibc
import Logging
import NIOCore
import OriginStore
import Synchronization

/// What all connections of an origin share.
final class OriginContext: Sendable {
    let configuration: OriginConfiguration
    let store: ObjectStore
    let metrics = OriginMetrics()
    let logger: Logger
    let openConnections = Atomic<Int>(0)
    /// Connections at once: what the process may open, less some for listeners and the admin endpoint.
    let connectionsLimit: Int
    /// How often a connection looks at its deadlines at least: none is missed by more than this.
    let longestTick: TimeAmount
    private let processTag: String
    private let versions = Atomic<UInt64>(0)

    init(configuration: OriginConfiguration, store: ObjectStore, logger: Logger) {
        self.configuration = configuration
        var files = rlimit()
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
        connectionsLimit = max(16, Int(clamping: files.rlim_cur) - 64)
        self.logger = logger
        self.store = store
        longestTick = min(
            configuration.requestTimeout, configuration.uploadTimeout, configuration.stallLimit,
            configuration.store.holdLimit)
        processTag = String(UInt64.random(in: .min ... .max), radix: 36)
    }

    /// A strong entity tag that no other upload has or had, across restarts too.
    func nextEntityTag() -> String {
        let version = versions.wrappingAdd(1, ordering: .relaxed).newValue
        return "\"\(processTag)-\(String(version, radix: 36))\""
    }

    /// Seconds since 1970.
    var unixTime: Int { time(nil) }

    /// Expires what is due and brings the gauges up to date.
    func sweep(now: NIODeadline) {
        let sweep = store.timePassed(now: now)
        if sweep.expired > 0 { metrics.expired.increment(by: sweep.expired) }
        if sweep.aborted > 0 { metrics.aborted.increment(by: sweep.aborted) }
        metrics.heldBytes.record(store.heldBytes)
        let counts = store.counts
        metrics.objects.record(counts.objects)
        metrics.playlists.record(counts.playlists)
        metrics.connections.record(openConnections.load(ordering: .relaxed))
    }
}
