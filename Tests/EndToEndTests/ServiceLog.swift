import Synchronization

/// A service's log lines as they come, for those who wait for one.
final class ServiceLog: Sendable {
    struct Missing: Error, CustomStringConvertible {
        let text: String
        let lines: [String]

        var description: String { "no log line with '\(text)' came; there were:\n\(lines.joined(separator: "\n"))" }
    }

    private struct State {
        var lines: [String] = []
        var isClosed = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    var lines: [String] { state.withLock { $0.lines } }

    func append(_ line: String) { change { $0.lines.append(line) } }

    func close() { change { $0.isClosed = true } }

    private func change(_ body: (inout State) -> Void) {
        let waiters = state.withLock { state in
            body(&state)
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// The `count`-th line with this text in it, from the first on.
    func line(with text: String, count: Int = 1) async throws -> String {
        try await wait(for: text) { state in
            let matches = state.lines.filter { $0.contains(text) }
            return matches.count >= count ? matches[count - 1] : nil
        }
    }

    /// Returns when the service has ended, and all of its lines are here.
    func untilClosed() async throws {
        try await wait(for: "the end") { $0.isClosed ? () : nil }
    }

    private func wait<Result: Sendable>(
        for text: String, _ read: @escaping @Sendable (State) -> Result?
    ) async throws -> Result {
        try await withDeadline(.seconds(60), or: Missing(text: text, lines: self.lines)) { [self] in
            while true {
                let (result, isClosed, count) = state.withLock { (read($0), $0.isClosed, $0.lines.count) }
                if let result { return result }
                if isClosed || Task.isCancelled { throw Missing(text: text, lines: lines) }
                await withTaskCancellationHandler {
                    await withCheckedContinuation { continuation in
                        let isOld = state.withLock { state in
                            if state.isClosed || state.lines.count > count || Task.isCancelled { return true }
                            state.waiters.append(continuation)
                            return false
                        }
                        if isOld { continuation.resume() }
                    }
                } onCancel: {
                    change { _ in }
                }
            }
        }
    }
}

/// Runs work that must be over within a time.
func withDeadline<Result: Sendable>(
    _ limit: Duration, or error: @autoclosure @escaping @Sendable () -> any Error,
    _ work: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result.self) { group in
        group.addTask { try await work() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw error()
        }
        defer { group.cancelAll() }
        guard let result = try await group.next() else { throw error() }
        return result
    }
}

/// What was waited for has not come.
struct NotSo: Error, CustomStringConvertible {
    let description: String
}

/// Asks again and again until there is an answer.
func poll<Result: Sendable>(
    for what: String, _ ask: @escaping @Sendable () async throws -> Result?
) async throws -> Result {
    try await withDeadline(.seconds(30), or: NotSo(description: "waited in vain for \(what)")) {
        while true {
            if let result = try await ask() { return result }
            // Who asks without a pause is refused for it.
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
