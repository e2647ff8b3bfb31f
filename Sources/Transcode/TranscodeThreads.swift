import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// Threads for decoding and encoding, apart from those that serve sockets: each is lent to one user at a time, and
/// kept for the next.
package final class TranscodeThreads: Sendable {
    private struct State {
        var all: [MultiThreadedEventLoopGroup] = []
        var idle: [any EventLoop] = []
        /// Whoever waits until all are idle.
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// How much encoders give way to the threads that take media in and pass it on.
    private static let niceness: Int32 = 5

    /// Threads there may be, so that neither descriptors nor threads of the process run out: NIO could not go on then.
    private let limit: Int
    /// A thread's event loop takes three descriptors; most are left to connections and uploads.
    private static let descriptorsForEach: UInt = 16
    private static let largestLimit: UInt = 512

    package init() {
        var files = rlimit()
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
        var processes = rlimit()
        unsafe getrlimit(__rlimit_resource_t(__RLIMIT_NPROC.rawValue), &processes)
        limit = Int(min(files.rlim_cur / Self.descriptorsForEach, processes.rlim_cur / 4, Self.largestLimit))
    }

    /// Whether so many more can be lent.
    package func hasRoom(for count: Int) -> Bool {
        state.withLock { $0.idle.count + limit - $0.all.count >= count }
    }

    /// An event loop with a thread of its own; nil when there are too many.
    func lend() -> (any EventLoop)? {
        state.withLock { state in
            if let loop = state.idle.popLast() { return loop }
            guard state.all.count < limit else { return nil }
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            state.all.append(group)
            let loop = group.next()
            // On Linux this is the calling thread's alone, and that of threads it starts.
            loop.execute { _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Self.niceness) }
            return loop
        }
    }

    func giveBack(_ loop: any EventLoop) {
        let waiter = state.withLock { state in
            state.idle.append(loop)
            return state.idle.count == state.all.count ? state.waiter.take() : nil
        }
        waiter?.resume()
    }

    /// Ends all threads when the last has been given back; called once.
    package func shutdown() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if state.idle.count == state.all.count { return true }
                state.waiter = continuation
                return false
            }
            if isIdle { continuation.resume() }
        }
        let groups = state.withLock { state in
            state.idle = []
            return state.all.take()
        }
        for group in groups { try? await group.shutdownGracefully() }
    }
}

extension Array {
    fileprivate mutating func take() -> Self {
        defer { self = [] }
        return self
    }
}
