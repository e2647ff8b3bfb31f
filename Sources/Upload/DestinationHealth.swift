/// Whether a destination is worth sending to: what keeps a dead one from being hammered.
///
/// | state | entered when | requests started |
/// |---|---|---|
/// | up | made; a request succeeded; after "unreachable", a connection was made | all |
/// | down | unreachable once, or several objects in a row failed otherwise | a few probes, each time the delay is over |
package struct DestinationHealth: Equatable {
    package enum Failure: Equatable {
        /// No connection: name, TCP or TLS.
        case unreachable
        /// A connection that broke.
        case broken
        /// No answer, or no byte taken, in time.
        case unresponsive
        /// An HTTP status other than success.
        case refused
    }

    package enum Change: Equatable {
        case none
        case trouble
        case recovered
    }

    private enum State: Equatable {
        case up(failures: Int)
        case down(Failure, failures: Int, retryAt: ContinuousClock.Instant)
    }

    /// Different objects in a row that must fail on a connection that works before the destination counts as down.
    static let toleratedFailures = 3
    package static let probesLimit = 2

    private let backoff: Backoff
    private var state = State.up(failures: 0)

    package init(backoff: Backoff) {
        self.backoff = backoff
    }

    /// When the next probes may start; nil while up.
    package var retryAt: ContinuousClock.Instant? {
        if case .down(_, _, let retryAt) = state { retryAt } else { nil }
    }

    /// How many requests may start now, `probes` of them running; nil for any number.
    package func admitted(probes: Int, now: ContinuousClock.Instant) -> Int? {
        switch state {
        case .up: nil
        case .down(_, _, let retryAt): now < retryAt ? 0 : max(0, Self.probesLimit - probes)
        }
    }

    /// `isFirst`: the object has not failed before. `jitter` is in 0 ..< 1.
    package mutating func failed(
        _ failure: Failure, isFirst: Bool, now: ContinuousClock.Instant, jitter: Double
    ) -> Change {
        switch state {
        case .up(let failures):
            let failures = isFirst ? failures + 1 : failures
            if failure != .unreachable, failures < Self.toleratedFailures {
                state = .up(failures: failures)
                return .none
            }
            state = .down(failure, failures: 1, retryAt: now + backoff.delay(afterFailures: 1, jitter: jitter))
            return .trouble
        case .down(_, let failures, let retryAt):
            // What was in flight when it went down, and the second of two probes, tell nothing new.
            guard now >= retryAt else { return .none }
            let next = now + backoff.delay(afterFailures: failures + 1, jitter: jitter)
            state = .down(failure, failures: min(failures + 1, 1_000), retryAt: next)
            return .none
        }
    }

    /// A request has a connection.
    package mutating func connected() -> Change {
        guard case .down(.unreachable, _, _) = state else { return .none }
        state = .up(failures: 0)
        return .recovered
    }

    /// A request was answered with success.
    package mutating func succeeded() -> Change {
        defer { state = .up(failures: 0) }
        if case .down = state { return .recovered }
        return .none
    }
}

/// Delays that double up to a limit.
package struct Backoff: Equatable {
    package let first: Duration
    package let longest: Duration

    package init(first: Duration, longest: Duration) {
        self.first = first
        self.longest = longest
    }

    /// Between half the delay and the whole; `failures` is at least 1, `jitter` in 0 ..< 1.
    package func delay(afterFailures failures: Int, jitter: Double) -> Duration {
        var delay = first
        for _ in 1..<max(2, min(failures, 32)) where failures > 1 {
            guard delay < longest else { break }
            delay *= 2
        }
        return min(delay, longest) * (0.5 + 0.5 * jitter)
    }
}
