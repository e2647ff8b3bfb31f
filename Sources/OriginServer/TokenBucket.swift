package import NIOCore

/// What may be done only so often: a rate, and a number that may come at once.
package struct TokenBucket: Sendable, Equatable {
    /// The moment at which all that was taken is there again (`ITU-T I.371`, virtual scheduling).
    private var refilledAt = NIODeadline.uptimeNanoseconds(0)

    package init() {}

    /// Takes one.
    /// - Returns: false where there is none, and nothing was taken.
    package mutating func take(ratePerSecond: Int, burst: Int, now: NIODeadline) -> Bool {
        let interval = TimeAmount.nanoseconds(1_000_000_000 / Int64(max(1, ratePerSecond)))
        let refilled = max(refilledAt, now) + interval
        guard refilled - now <= interval * max(1, burst) else { return false }
        refilledAt = refilled
        return true
    }

    /// Whether nothing is missing.
    package func isFull(now: NIODeadline) -> Bool { refilledAt <= now }
}
