import CCurl
import Glibc
import Synchronization

/// A thread of our own whose end can be awaited.
@safe
final class WorkerThread: Sendable {
    private struct State {
        var thread: pthread_t?
        var isEnded = false
        var nextWaiter = 0
        var waiters: [Int: CheckedContinuation<Bool, Never>] = [:]
    }

    private final class Start: Sendable {
        let name: String
        let run: @Sendable () -> Void

        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    private let state = Mutex(State())

    /// `name` has at most 15 bytes.
    init(name: String, run: @escaping @Sendable () -> Void) throws(UploadError) {
        let start = Start(name: name) { [self] in
            run()
            ended()
        }
        // Balanced by takeRetainedValue in the thread, or below when there is none.
        let context = unsafe Unmanaged.passRetained(start)
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, nil,
            { context in
                guard let context = unsafe context else { return nil }
                let start = unsafe Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
                // Signals belong to other threads; a TLS write to a closed socket raises SIGPIPE here, where it rests.
                var all = sigset_t()
                unsafe sigfillset(&all)
                unsafe pthread_sigmask(SIG_SETMASK, &all, nil)
                unsafe ccurl_name_thread(start.name)
                start.run()
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            unsafe context.release()
            throw .unavailable(errno: code)
        }
        state.withLock { $0.thread = thread }
    }

    deinit {
        if let thread = state.withLock({ $0.thread.take() }) { pthread_detach(thread) }
    }

    private func ended() {
        let waiters = state.withLock { state in
            state.isEnded = true
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values { waiter.resume(returning: true) }
    }

    /// Waits for the end of the thread and joins it; false when it still runs at the deadline.
    func join(by deadline: ContinuousClock.Instant) async -> Bool {
        let isEnded = await withTaskGroup(of: Bool.self) { group in
            group.addTask { await self.end() }
            group.addTask {
                do { try await Task.sleep(until: deadline, clock: .continuous) } catch { return false }
                return false
            }
            let first = await group.next() ?? false
            group.cancelAll()
            return first
        }
        guard isEnded else { return false }
        // The thread is past its last statement: this waits for its exit alone.
        if let thread = state.withLock({ $0.isEnded ? $0.thread.take() : nil }) { pthread_join(thread, nil) }
        return true
    }

    private func end() async -> Bool {
        let number = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now: Bool? = state.withLock { state in
                    if state.isEnded { return true }
                    if Task.isCancelled { return false }
                    state.waiters[number] = continuation
                    return nil
                }
                if let now { continuation.resume(returning: now) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume(returning: false)
        }
    }
}
