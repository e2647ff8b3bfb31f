import Synchronization

/// How many bytes are held: payload with what its bookkeeping takes.
///
/// A stream has its own account, and whatever is on it is on the store's as well.
package final class MemoryAccount: Sendable {
    private let bytes = Atomic<Int>(0)
    private let leaving = Atomic<Int>(0)
    private let parent: MemoryAccount?

    package init(parent: MemoryAccount? = nil) {
        self.parent = parent
    }

    package var heldBytes: Int { bytes.load(ordering: .relaxed) }

    /// Without what the store has let go of and readers still hold, about: for that nothing else has to go.
    var keptBytes: Int { heldBytes - leaving.load(ordering: .relaxed) }

    func charge(_ count: Int) {
        bytes.wrappingAdd(count, ordering: .relaxed)
        parent?.charge(count)
    }

    /// So many bytes will be released when their last reader has gone; fewer once they are, which is negative.
    func leave(_ count: Int) {
        leaving.wrappingAdd(count, ordering: .relaxed)
        parent?.leave(count)
    }

    func release(_ count: Int) {
        bytes.wrappingSubtract(count, ordering: .relaxed)
        parent?.release(count)
    }
}
