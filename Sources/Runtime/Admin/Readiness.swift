import Synchronization

/// Whether the service should be sent work: false while it starts, and for good from the moment it is told to stop.
package final class Readiness: Sendable {
    private let flag: Atomic<Bool>
    private let isStopping = Atomic<Bool>(false)

    package init(isReady: Bool = false) { flag = Atomic(isReady) }

    package var isReady: Bool { flag.load(ordering: .relaxed) && !isStopping.load(ordering: .relaxed) }

    /// Of no effect once it stops: a service that is told to while it starts does not become ready.
    package func set(_ isReady: Bool) { flag.store(isReady, ordering: .relaxed) }

    package func stop() { isStopping.store(true, ordering: .relaxed) }
}
