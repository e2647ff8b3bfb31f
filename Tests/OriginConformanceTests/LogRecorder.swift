import Logging

/// Writes each line of a log down, as `MESSAGE KEY=VALUE…` in the order of the keys.
struct LogRecorder: LogHandler {
    let lines: Watched<[String]>
    var logLevel = Logger.Level.debug
    var metadata: Logger.Metadata = [:]

    init(lines: Watched<[String]>) { self.lines = lines }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { _, last in last }.sorted { $0.key < $1.key }
        let line = (["\(event.message)"] + fields.map { "\($0.key)=\($0.value)" }).joined(separator: " ")
        lines.change { $0.append(line) }
    }
}
