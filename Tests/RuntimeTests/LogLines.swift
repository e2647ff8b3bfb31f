import Logging
import Synchronization

import Runtime

/// What a logger says, as text lines without their time, and a way to await one.
final class LogLines: Sendable {
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    private struct State {
        var lines: [String] = []
        var waiters: [AsyncStream<String>.Continuation] = []
    }

    private let state = Mutex(State())

    var all: [String] { state.withLock { $0.lines } }

    var logger: Logger {
        Logger(label: "test") { _ in
            LineLogHandler(label: "test", format: .text, logLevel: .info) { self.append($0) }
        }
    }

    /// The first line that holds the text, once there is one; throws when half a minute is over.
    func line(with text: String) async throws -> String {
        let (lines, waiter) = AsyncStream.makeStream(of: String.self)
        state.withLock { state in
            for line in state.lines { waiter.yield(line) }
            state.waiters.append(waiter)
        }
        return try await withThrowingTaskGroup(of: String.self) { group in
            group.addTask {
                for await line in lines where line.contains(text) { return line }
                throw CancellationError()
            }
            group.addTask {
                try await Task.sleep(for: .seconds(30))
                throw Missing(description: "no line with '\(text)'; there were: \(self.all)")
            }
            defer { group.cancelAll() }
            return try await group.next() ?? ""
        }
    }

    private func append(_ line: String) {
        let line = String((line.split(separator: " ", maxSplits: 1).last ?? "").dropLast())
        state.withLock { state in
            state.lines.append(line)
            for waiter in state.waiters { waiter.yield(line) }
        }
    }
}
