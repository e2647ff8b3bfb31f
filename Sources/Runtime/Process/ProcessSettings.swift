package import Logging

/// The settings that both services have.
package struct ProcessSettings: Equatable {
    package var adminListen: HostAndPort
    /// Nil: one for each processor.
    package var threads: Int?
    package var logLevel = Logger.Level.info
    package var logFormat = LogFormat.text

    package static let keys: [ConfigurationKey] = ["admin-listen", "threads", "log-level", "log-format"]

    /// - Parameter adminPort: where the admin endpoint is on 127.0.0.1 when nothing else is said.
    package init(_ reader: ConfigurationReader, adminPort: Int) throws(ConfigurationError) {
        adminListen = HostAndPort(host: "127.0.0.1", port: adminPort)
        if let value = try reader.hostAndPort("admin-listen") { adminListen = value }
        threads = try reader.integer("threads", in: 1...1_024)
        if let value = try reader.choice("log-level", of: Logger.Level.self) { logLevel = value }
        if let value = try reader.choice("log-format", of: LogFormat.self) { logFormat = value }
    }

    /// How many event loops there are to be, at least 1.
    package var eventLoops: Int { threads ?? Processors.available }
}
