import NIOCore
import OriginPersistence
import OriginServer
import OriginStore
package import Runtime

/// Everything `headwater-origin` is told, with its defaults.
package struct OriginSettings: Equatable {
    var origin = OriginConfiguration()
    /// Nil: everything is kept in memory alone.
    var dataDirectory: DataDirectoryConfiguration?
    var process: ProcessSettings

    package static let keys: [ConfigurationKey] =
        [
            "listen", "publish-listen", ConfigurationKey("cache", isRepeatable: true, environmentSeparator: ";"),
            ConfigurationKey("cdn-cache", isRepeatable: true, environmentSeparator: ";"),
            ConfigurationKey("surrogate-cache", isRepeatable: true, environmentSeparator: ";"),
            "tls-certificate", "tls-key", "publish-client-ca", "publish-token-file", "signing-key-file", "cors-file",
            "data-dir", "data-sync", "memory-limit", "object-limit", "stream-memory-limit", "stream-object-limit",
            "expire", "upload-resume-window", "hold-limit", "hold-missing", "unlisted-lifetime", "playlist-lifetime",
            "connection-limit", "connections-per-address", "error-rate", "header-limit", "request-timeout",
            "idle-timeout", "upload-timeout", "stall-limit", "drain-limit",
        ] + ProcessSettings.keys

    /// What ends an object's life.
    private enum Expiry: String, CaseIterable { case playlist, upstream }

    private static let times = Duration.milliseconds(100)...Duration.seconds(86_400)
    private static let counts = 1...1_000_000

    package init(_ reader: ConfigurationReader) throws(ConfigurationError) {
        process = try ProcessSettings(reader, adminPort: 9194)
        if let value = try reader.hostAndPort("listen") { origin.listen = SocketEndpoint(value) }
        if let value = try reader.hostAndPort("publish-listen") { origin.publishListen = SocketEndpoint(value) }
        try setPolicy(\.cache.cacheControl, reader, "cache")
        try setPolicy(\.cache.cdn, reader, "cdn-cache")
        try setPolicy(\.cache.surrogate, reader, "surrogate-cache")
        try setFiles(reader)
        try setDataDirectory(reader)
        try setStore(reader)
        try setConnections(reader)
    }

    private mutating func setFiles(_ reader: ConfigurationReader) throws(ConfigurationError) {
        switch (reader.text("tls-certificate"), reader.text("tls-key")) {
        case (nil, nil): break
        case (let chain?, let key?): origin.files.certificate = OriginFiles.Certificate(chain: chain, key: key)
        case (_?, nil): throw reader.refusal(of: "tls-certificate", accepted: "a PEM file, together with tls-key")
        case (nil, _?): throw reader.refusal(of: "tls-key", accepted: "a PEM file, together with tls-certificate")
        }
        origin.files.publishClientCA = reader.text("publish-client-ca")
        if origin.files.publishClientCA != nil, origin.files.certificate == nil || origin.publishListen == nil {
            throw reader.refusal(
                of: "publish-client-ca", accepted: "a PEM file, together with publish-listen and tls-certificate")
        }
        origin.files.publishTokens = reader.text("publish-token-file")
        origin.files.signingKeys = reader.text("signing-key-file")
        origin.files.cors = reader.text("cors-file")
    }

    private mutating func setDataDirectory(_ reader: ConfigurationReader) throws(ConfigurationError) {
        dataDirectory = reader.text("data-dir").map { DataDirectoryConfiguration(path: $0) }
        if let sync = try reader.choice("data-sync", of: DataDirectoryConfiguration.SyncPolicy.self) {
            dataDirectory?.sync = sync
        }
    }

    private mutating func setStore(_ reader: ConfigurationReader) throws(ConfigurationError) {
        let sizes = 1 << 20...Int.max
        if let value = try reader.byteCount("memory-limit", in: sizes) { origin.store.memoryLimitBytes = value }
        // One buffer holds no more.
        if let value = try reader.byteCount("object-limit", in: 1 << 20...2 << 30) {
            origin.store.objectLimitBytes = value
        }
        if let value = try reader.byteCount("stream-memory-limit", in: sizes) {
            origin.store.streamMemoryLimitBytes = value
        }
        if let value = try reader.integer("stream-object-limit", in: Self.counts) {
            origin.store.streamObjectLimit = value
        }
        if let value = try reader.choice("expire", of: Expiry.self) {
            origin.store.expiresUpstream = value == .upstream
        }
        try set(\.store.resumeWindow, reader, "upload-resume-window")
        try set(\.store.holdLimit, reader, "hold-limit")
        try set(\.holdMissing, reader, "hold-missing", in: .zero...Duration.seconds(60))
        try set(\.store.unlistedLifetime, reader, "unlisted-lifetime")
        try set(\.store.playlistLifetime, reader, "playlist-lifetime")
    }

    private mutating func setConnections(_ reader: ConfigurationReader) throws(ConfigurationError) {
        origin.connectionLimit = try reader.integer("connection-limit", in: Self.counts)
        origin.connectionsPerAddress = try reader.integer("connections-per-address", in: Self.counts)
        if let value = try reader.integer("error-rate", in: 0...1_000_000) { origin.errorRate = value }
        if let value = try reader.byteCount("header-limit", in: 1_024...1 << 20) { origin.headerLimitBytes = value }
        try set(\.requestTimeout, reader, "request-timeout")
        try set(\.idleTimeout, reader, "idle-timeout")
        try set(\.uploadTimeout, reader, "upload-timeout")
        try set(\.stallLimit, reader, "stall-limit")
        try set(\.drainLimit, reader, "drain-limit", in: .zero...Duration.seconds(3_600))
    }

    private mutating func setPolicy(
        _ path: WritableKeyPath<OriginConfiguration, CachePolicy>, _ reader: ConfigurationReader, _ key: String
    ) throws(ConfigurationError) {
        for text in reader.texts(key) ?? [] {
            do throws(CachePolicyError) {
                try origin[keyPath: path].set(text)
            } catch {
                throw reader.refusal(of: key, accepted: "CLASS=VALUE: \(error.reason)")
            }
        }
    }

    private mutating func set(
        _ path: WritableKeyPath<OriginConfiguration, TimeAmount>, _ reader: ConfigurationReader, _ key: String,
        in range: ClosedRange<Duration> = Self.times
    ) throws(ConfigurationError) {
        if let value = try reader.duration(key, in: range) { origin[keyPath: path] = TimeAmount(value) }
    }
}

extension SocketEndpoint {
    init(_ address: HostAndPort) {
        self.init(host: address.host, port: address.port)
    }
}
