import Synchronization

/// What happened so far, and a way to await what is still to happen.
final class Journal<Event: Sendable>: Sendable {
    struct Overdue: Error, CustomStringConvertible {
        let description: String
    }

    private struct State {
        var events: [Event] = []
        var nextWaiter = 0
        var waiters: [Int: AsyncStream<[Event]>.Continuation] = [:]
    }

    private let state = Mutex(State())

    var events: [Event] { state.withLock { $0.events } }

    func record(_ event: Event) {
        state.withLock { state in
            state.events.append(event)
            for waiter in state.waiters.values { waiter.yield(state.events) }
        }
    }

    /// Waits until all events so far fulfil the condition; throws when half a minute is over.
    @discardableResult
    func wait(
        for condition: @escaping @Sendable ([Event]) -> Bool, _ what: String = #function
    ) async throws -> [Event] {
        let (stream, continuation) = AsyncStream.makeStream(of: [Event].self, bufferingPolicy: .bufferingNewest(1))
        let number = state.withLock { state in
            state.nextWaiter += 1
            state.waiters[state.nextWaiter] = continuation
            continuation.yield(state.events)
            return state.nextWaiter
        }
        defer { _ = state.withLock { $0.waiters.removeValue(forKey: number) } }
        return try await withThrowingTaskGroup(of: [Event].self) { group in
            group.addTask {
                for await events in stream where condition(events) { return events }
                throw CancellationError()
            }
            group.addTask {
                try await Task.sleep(for: .seconds(30))
                throw Overdue(description: "\(what): \(self.events)")
            }
            defer { group.cancelAll() }
            return try await group.next() ?? []
        }
    }
}
