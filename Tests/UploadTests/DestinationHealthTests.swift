import Testing

import Upload

struct DestinationHealthTests {
    let start = ContinuousClock.now
    let backoff = Backoff(first: .milliseconds(100), longest: .seconds(2))

    @Test func `delays double up to the longest and lie in their upper half`() {
        let delays = (1...8).map { backoff.delay(afterFailures: $0, jitter: 0) }
        #expect(delays == [50, 100, 200, 400, 800, 1_000, 1_000, 1_000].map { .milliseconds($0) })
        #expect(backoff.delay(afterFailures: 1, jitter: 0.5) == .milliseconds(75))
        #expect(backoff.delay(afterFailures: .max, jitter: 0) == .seconds(1))
    }

    @Test func `an unreachable destination is down at once and up with a connection`() {
        var health = DestinationHealth(backoff: backoff)
        #expect(health.admitted(probes: 0, now: start) == nil)
        #expect(health.failed(.unreachable, isFirst: true, now: start, jitter: 0) == .trouble)
        #expect(health.retryAt == start + .milliseconds(50))
        #expect(health.admitted(probes: 0, now: start) == 0)
        let later = start + .milliseconds(50)
        #expect(health.admitted(probes: 0, now: later) == DestinationHealth.probesLimit)
        #expect(health.admitted(probes: 5, now: later) == 0)
        #expect(health.connected() == .recovered)
        #expect(health.retryAt == nil)
        #expect(health.connected() == .none)
    }

    @Test func `a destination that refuses is up with a success alone`() {
        var health = DestinationHealth(backoff: backoff)
        #expect(health.failed(.refused, isFirst: true, now: start, jitter: 0) == .none)
        #expect(health.failed(.unresponsive, isFirst: true, now: start, jitter: 0) == .none)
        #expect(health.failed(.broken, isFirst: true, now: start, jitter: 0) == .trouble)
        #expect(health.connected() == .none)
        #expect(health.succeeded() == .recovered)
        #expect(health.succeeded() == .none)
    }

    @Test func `one object that fails for ever does not put the destination down`() {
        var health = DestinationHealth(backoff: backoff)
        #expect(health.failed(.refused, isFirst: true, now: start, jitter: 0) == .none)
        for _ in 0..<10 { #expect(health.failed(.refused, isFirst: false, now: start, jitter: 0) == .none) }
    }

    @Test func `a success in between starts the count again`() {
        var health = DestinationHealth(backoff: backoff)
        for _ in 0..<10 {
            #expect(health.failed(.broken, isFirst: true, now: start, jitter: 0) == .none)
            #expect(health.failed(.broken, isFirst: true, now: start, jitter: 0) == .none)
            #expect(health.succeeded() == .none)
        }
    }

    @Test func `the delay grows with each round of probes, not with each probe`() {
        var health = DestinationHealth(backoff: backoff)
        #expect(health.failed(.unreachable, isFirst: true, now: start, jitter: 0) == .trouble)
        #expect(health.failed(.unreachable, isFirst: true, now: start, jitter: 0) == .none)
        #expect(health.retryAt == start + .milliseconds(50))
        let later = start + .milliseconds(60)
        #expect(health.failed(.unreachable, isFirst: false, now: later, jitter: 0) == .none)
        #expect(health.failed(.unreachable, isFirst: false, now: later, jitter: 0) == .none)
        #expect(health.retryAt == later + .milliseconds(100))
    }
}
