import Logging
import Synchronization

import Runtime

/// What a logger says, as text lines without their time, and a way to await one.
final class LogLines: Sendable {
    private struct State {
        var lines: [String] = []
        var waiters: [(text: String, continuation: CheckedContinuation<String, Never>)] = []
    }

    private let state = Mutex(State())

    var all: [String] { state.withLock { $0.lines } }

    var logger: Logger {
        Logger(label: "test") { _ in
            LineLogHandler(label: "test", format: .text, logLevel: .info) { self.append($0) }
        }
    }

    /// The first line that holds the text, once there is one.
    func line(with text: String) async -> String {
        await withCheckedContinuation { continuation in
            let line = state.withLock { state in
                let line = state.lines.first { $0.contains(text) }
                if line == nil { state.waiters.append((text, continuation)) }
                return line
            }
            if let line { continuation.resume(returning: line) }
        }
    }

    private func append(_ line: String) {
        let line = String((line.split(separator: " ", maxSplits: 1).last ?? "").dropLast())
        let waiters = state.withLock { state in
            state.lines.append(line)
            let waiters = state.waiters.filter { line.contains($0.text) }
            state.waiters.removeAll { line.contains($0.text) }
            return waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: line) }
    }
}
