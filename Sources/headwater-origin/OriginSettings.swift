import NIOCore
import OriginServer
import OriginStore
package import Runtime

/// Everything `headwater-origin` is told, with its defaults.
package struct OriginSettings: Equatable {
    var origin = OriginConfiguration()
    var process: ProcessSettings

    package static let keys: [ConfigurationKey] =
        [
            "listen", "publish-listen", ConfigurationKey("cache", isRepeatable: true, environmentSeparator: ";"),
            "memory-limit", "object-limit", "upload-resume-window", "hold-limit", "stall-limit", "unlisted-lifetime",
            "playlist-lifetime",
        ] + ProcessSettings.keys

    private static let times = Duration.milliseconds(100)...Duration.seconds(86_400)

    package init(_ reader: ConfigurationReader) throws(ConfigurationError) {
        process = try ProcessSettings(reader, adminPort: 9194)
        if let value = try reader.hostAndPort("listen") { origin.listen = SocketEndpoint(value) }
        if let value = try reader.hostAndPort("publish-listen") { origin.publishListen = SocketEndpoint(value) }
        for text in reader.texts("cache") ?? [] {
            do throws(CachePolicyError) {
                try origin.cache.set(text)
            } catch {
                throw reader.refusal(of: "cache", accepted: "CLASS=VALUE: \(error.reason)")
            }
        }
        let sizes = 1 << 20...Int.max
        if let value = try reader.byteCount("memory-limit", in: sizes) { origin.store.memoryLimitBytes = value }
        if let value = try reader.byteCount("object-limit", in: sizes) { origin.store.objectLimitBytes = value }
        try set(\.store.resumeWindow, reader, "upload-resume-window")
        try set(\.store.holdLimit, reader, "hold-limit")
        try set(\.stallLimit, reader, "stall-limit")
        try set(\.store.unlistedLifetime, reader, "unlisted-lifetime")
        try set(\.store.playlistLifetime, reader, "playlist-lifetime")
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
