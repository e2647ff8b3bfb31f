import NIOCore

/// Counts events within periods of 10 s.
struct RateCount {
    private var count = 0
    private var since: NIODeadline?

    private static let period = TimeAmount.seconds(10)

    /// Takes one event; runs `excess` when it is the first of its period beyond the limit.
    mutating func note(_ now: NIODeadline, beyond limit: Int, excess: () -> Void) {
        if note(now, beyond: limit), count == limit + 1 { excess() }
    }

    /// Takes one event; true when it is beyond the limit of its period.
    mutating func note(_ now: NIODeadline, beyond limit: Int) -> Bool {
        if since.map({ now - $0 > Self.period }) ?? true { (count, since) = (0, now) }
        count += 1
        return count > limit
    }
}
