import NIOCore
import NIOPosix
import Synchronization

/// A value that an event loop changes, for those who wait until it is as they want it.
final class Watched<Value: Sendable>: Sendable {
    /// What was waited for did not come in time; with what was there instead.
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    private struct State {
        var value: Value
        var version = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(_ value: Value) { state = Mutex(State(value: value)) }

    var value: Value { state.withLock { $0.value } }

    func change(_ body: (inout Value) -> Void) {
        let waiters = state.withLock { state in
            body(&state.value)
            state.version += 1
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// What `read` finds in the value, as soon as it finds something.
    func wait<Result>(
        for what: String, within limit: TimeAmount = .seconds(30), _ read: (Value) throws -> Result?
    ) async throws -> Result {
        let deadline = NIODeadline.now() + limit
        let timer = MultiThreadedEventLoopGroup.singleton.any().scheduleTask(in: limit) { self.change { _ in } }
        defer { timer.cancel() }
        while true {
            let (value, version) = state.withLock { ($0.value, $0.version) }
            if let result = try read(value) { return result }
            guard .now() < deadline else {
                throw Missing(description: "no \(what) within \(limit); there was: \("\(value)".prefix(2_000))")
            }
            await withCheckedContinuation { continuation in
                let isOld = state.withLock { state in
                    if state.version == version { state.waiters.append(continuation) }
                    return state.version != version
                }
                if isOld { continuation.resume() }
            }
        }
    }
}
