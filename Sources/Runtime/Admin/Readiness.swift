import Synchronization

/// Whether the service should be sent work: false while it starts and from the moment it is told to stop.
package final class Readiness: Sendable {
    private let flag: Atomic<Bool>

    package init(isReady: Bool = false) { flag = Atomic(isReady) }

    package var isReady: Bool { flag.load(ordering: .relaxed) }

    package func set(_ isReady: Bool) { flag.store(isReady, ordering: .relaxed) }
}
