package import Logging

/// How log lines are written.
package enum LogFormat: String, CaseIterable, Sendable {
    /// `2026-01-01T00:00:00.000Z info broadcast started stream=live/a`
    case text
    /// The same as one JSON object a line.
    case json
}

extension LogFormat {
    /// Sends what every `Logger` of the process says to the standard error stream; to be called once, before the first.
    package func bootstrap(level: Logger.Level) {
        LoggingSystem.bootstrap { label in
            LineLogHandler(label: label, format: self, logLevel: level, write: StandardError.write)
        }
    }
}
