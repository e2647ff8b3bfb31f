import Synchronization

/// The number of a publish session, shared by all bodies of its broadcast and raised when the encoder comes back.
///
/// Each request says the value at its start, so that what an earlier session left undelivered goes out under the
/// present one.
package final class PublishEpoch: Sendable {
    private let number: Atomic<UInt64>

    package init(_ value: UInt64) {
        number = Atomic(value)
    }

    package var value: UInt64 { number.load(ordering: .acquiring) }

    /// Without effect where the value is that large already. To be called before the first object of the later
    /// session is opened: an origin refuses the earlier one from then on.
    package func raise(to value: UInt64) {
        // Not `Atomic.max`, which in Swift 6.3 compares unsigned numbers as if they were signed.
        var current = number.load(ordering: .relaxed)
        var isDone = current >= value
        while !isDone {
            let (isExchanged, original) = number.weakCompareExchange(
                expected: current, desired: value, ordering: .acquiringAndReleasing)
            current = original
            isDone = isExchanged || current >= value
        }
    }
}
