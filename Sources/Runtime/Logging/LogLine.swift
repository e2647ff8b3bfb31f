package import FoundationEssentials
package import Logging

/// A log record's text, which is one line whatever a peer managed to get into a value.
package struct LogLine {
    /// How many characters of one value are kept.
    static let maximumValueLength = 1_024

    private let time: Date
    private let level: Logger.Level
    private let label: String
    private let message: String
    private let fields: Logger.Metadata

    package init(time: Date, level: Logger.Level, label: String, message: String, fields: Logger.Metadata) {
        self.time = time
        self.level = level
        self.label = label
        self.message = message
        self.fields = fields
    }

    /// Without a line feed.
    package func rendered(as format: LogFormat) -> String {
        switch format {
        case .text: text
        case .json: json
        }
    }

    /// Fields stand in the order of their names; values that hold a space or a special character stand in quotes.
    private var text: String {
        var line = "\(timestamp) \(level) \(LogText.escaped(message))"
        for (name, value) in sortedFields {
            line += " \(LogText.escaped(name))=\(LogText.quotedIfNeeded(plainText(value)))"
        }
        return line
    }

    /// One flat object; a field that has the name of one of the four that every line has gets an underscore in front.
    private var json: String {
        var line = #"{"time":"\#(timestamp)","level":"\#(level)","logger":\#(LogText.quoted(label))"#
        line += #","message":\#(LogText.quoted(message))"#
        for (name, value) in sortedFields {
            let isTaken = ["time", "level", "logger", "message"].contains(name)
            line += ",\(LogText.quoted(isTaken ? "_" + name : name)):\(jsonValue(value))"
        }
        return line + "}"
    }

    private var timestamp: String { time.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)) }

    private var sortedFields: [(key: String, value: Logger.MetadataValue)] { fields.sorted { $0.key < $1.key } }

    private func plainText(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let string): shortened(string)
        case .stringConvertible(let convertible): shortened("\(convertible)")
        case .array, .dictionary: jsonValue(value)
        }
    }

    private func jsonValue(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let string):
            return LogText.quoted(shortened(string))
        case .stringConvertible(let convertible):
            return LogText.quoted(shortened("\(convertible)"))
        case .array(let values):
            return "[" + values.map(jsonValue).joined(separator: ",") + "]"
        case .dictionary(let values):
            let members = values.sorted { $0.key < $1.key }.map { "\(LogText.quoted($0.key)):\(jsonValue($0.value))" }
            return "{" + members.joined(separator: ",") + "}"
        }
    }

    private func shortened(_ value: String) -> String {
        guard value.unicodeScalars.count > Self.maximumValueLength else { return value }
        return String(value.unicodeScalars.prefix(Self.maximumValueLength)) + "…"
    }
}
