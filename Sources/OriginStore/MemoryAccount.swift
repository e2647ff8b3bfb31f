import Synchronization

/// How many payload bytes are held in all.
package final class MemoryAccount: Sendable {
    private let bytes = Atomic<Int>(0)

    package init() {}

    package var heldBytes: Int { bytes.load(ordering: .relaxed) }

    func charge(_ count: Int) { bytes.wrappingAdd(count, ordering: .relaxed) }

    func release(_ count: Int) { bytes.wrappingSubtract(count, ordering: .relaxed) }
}
