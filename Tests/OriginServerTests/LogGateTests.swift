import NIOCore
import OriginServer
import Testing

@Suite struct LogGateTests {
    private static func time(_ milliseconds: Int64) -> NIODeadline {
        .uptimeNanoseconds(0) + .milliseconds(milliseconds)
    }

    @Test func `so many lines pass, and the next one tells how many did not`() {
        var gate = LogGate(linesPerSecond: 3)
        for _ in 0..<3 { #expect(gate.pass(now: Self.time(0)) == 0) }
        for _ in 0..<5 { #expect(gate.pass(now: Self.time(100)) == nil) }
        #expect(gate.pass(now: Self.time(500)) == 5)
        #expect(gate.pass(now: Self.time(500)) == nil)
        #expect(gate.pass(now: Self.time(5_000)) == 1)
        #expect(gate.pass(now: Self.time(5_000)) == 0)
    }

    @Test(arguments: [1, 3, 7, 1_000]) func `in the long run the rate is kept`(rate: Int) {
        var gate = LogGate(linesPerSecond: rate)
        let passed = (0..<100_000).filter { gate.pass(now: Self.time(Int64($0) / 10)) != nil }.count
        #expect((rate * 10...rate * 11 + 1).contains(passed))
    }

    @Test func `a gate for less than a line lets one pass`() {
        var gate = LogGate(linesPerSecond: 0)
        #expect(gate.pass(now: Self.time(0)) == 0)
        #expect(gate.pass(now: Self.time(0)) == nil)
        #expect(gate.pass(now: .distantFuture) == 1)
    }
}
