import Synchronization

/// How many bytes are held in all: payload with what its bookkeeping takes.
package final class MemoryAccount: Sendable {
    private let bytes = Atomic<Int>(0)

    package init() {}

    package var heldBytes: Int { bytes.load(ordering: .relaxed) }

    func charge(_ count: Int) { bytes.wrappingAdd(count, ordering: .relaxed) }

    func release(_ count: Int) { bytes.wrappingSubtract(count, ordering: .relaxed) }
}

/// Bytes on the account until the last holder of this lets go.
final class MemoryCharge: Sendable {
    private let account: MemoryAccount
    private let count: Int

    init(_ count: Int, on account: MemoryAccount) {
        self.account = account
        self.count = count
        account.charge(count)
    }

    deinit { account.release(count) }
}
