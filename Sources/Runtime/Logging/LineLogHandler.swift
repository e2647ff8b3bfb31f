import FoundationEssentials
package import Logging

/// Writes each record as one line.
package struct LineLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let format: LogFormat
    private let write: @Sendable (String) -> Void

    /// `write` takes a line with its line feed.
    package init(
        label: String, format: LogFormat, logLevel: Logger.Level, write: @escaping @Sendable (String) -> Void
    ) {
        self.label = label
        self.format = format
        self.logLevel = logLevel
        self.write = write
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// What the call says goes before what the logger carries, and that before the provider's.
    package func log(event: LogEvent) {
        var fields = metadataProvider?.get() ?? [:]
        fields.merge(metadata) { $1 }
        fields.merge(event.metadata ?? [:]) { $1 }
        if let error = event.error, fields["error"] == nil { fields["error"] = "\(error)" }
        let line = LogLine(
            time: Date.now, level: event.level, label: label, message: "\(event.message)", fields: fields)
        write(line.rendered(as: format) + "\n")
    }
}
