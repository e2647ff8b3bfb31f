import Logging
import NIOCore
import OriginServer
import OriginStore
package import Runtime

/// Everything `headwater-origin` is told, with its defaults.
package struct OriginSettings: Equatable {
    var origin = OriginConfiguration()
    var adminListen = HostAndPort(host: "127.0.0.1", port: 9194)
    /// Nil: one for each processor.
    var threads: Int?
    var logLevel = Logger.Level.info
    var logFormat = LogFormat.text

    package static let keys: [ConfigurationKey] = [
        "listen", "publish-listen", ConfigurationKey("cache", isRepeatable: true, environmentSeparator: ";"),
        "memory-limit", "object-limit", "upload-resume-window", "hold-limit", "stall-limit", "unlisted-lifetime",
        "playlist-lifetime", "admin-listen", "threads", "log-level", "log-format",
    ]

    private static let times = Duration.milliseconds(100)...Duration.seconds(86_400)

    init() {}

    package init(_ reader: ConfigurationReader) throws(ConfigurationError) {
        if let value = try reader.hostAndPort("listen") { origin.listen = SocketEndpoint(value) }
        if let value = try reader.hostAndPort("publish-listen") { origin.publishListen = SocketEndpoint(value) }
        var refusal = ""
        let policy = try reader.values("cache", accepted: refusal) { text -> Bool? in
            do throws(CachePolicyError) {
                try origin.cache.set(text)
                return true
            } catch {
                refusal = "CLASS=VALUE: \(error.reason)"
                return nil
            }
        }
        _ = policy
        let sizes = 1 << 20...Int.max
        if let value = try reader.byteCount("memory-limit", in: sizes) { origin.store.memoryLimitBytes = value }
        if let value = try reader.byteCount("object-limit", in: sizes) { origin.store.objectLimitBytes = value }
        try set(\.store.resumeWindow, reader, "upload-resume-window")
        try set(\.store.holdLimit, reader, "hold-limit")
        try set(\.stallLimit, reader, "stall-limit")
        try set(\.store.unlistedLifetime, reader, "unlisted-lifetime")
        try set(\.store.playlistLifetime, reader, "playlist-lifetime")
        if let value = try reader.hostAndPort("admin-listen") { adminListen = value }
        threads = try reader.integer("threads", in: 1...1_024)
        if let value = try reader.choice("log-level", of: Logger.Level.self) { logLevel = value }
        if let value = try reader.choice("log-format", of: LogFormat.self) { logFormat = value }
    }

    private mutating func set(
        _ path: WritableKeyPath<OriginConfiguration, TimeAmount>, _ reader: ConfigurationReader, _ key: String
    ) throws(ConfigurationError) {
        if let value = try reader.duration(key, in: Self.times) { origin[keyPath: path] = TimeAmount(value) }
    }
}

extension SocketEndpoint {
    init(_ address: HostAndPort) {
        self.init(host: address.host, port: address.port)
    }
}
