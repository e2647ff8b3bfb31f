import NIOCore

/// When writing is tried again after a failure: after 1 s, then twice as long each time, up to 30 s.
struct RetryDelay {
    static let shortest = TimeAmount.seconds(1)
    static let longest = TimeAmount.seconds(30)

    private var delay = Self.shortest
    private var recovered: NIODeadline?

    /// Writing has failed. Soon after a recovery the delay goes on from where it was, so that a disk with hardly any
    /// room is neither tried nor told of every second.
    mutating func failed(now: NIODeadline) -> NIODeadline {
        if let recovered, now - recovered < Self.longest {
            delay = min(delay * 2, Self.longest)
        } else {
            delay = Self.shortest
        }
        return now + delay
    }

    /// It has failed again when it was tried.
    mutating func failedAgain(now: NIODeadline) -> NIODeadline {
        delay = min(delay * 2, Self.longest)
        return now + delay
    }

    mutating func recovered(now: NIODeadline) { recovered = now }
}
