import IngestServer
import NIOCore
import Testing

@Suite struct PublisherRulesTests {
    private func time(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(1) + .seconds(seconds) }

    @Test func `twenty breaks in ten seconds are borne, one more is told once`() {
        var rules = PublisherRules()
        for _ in 0..<20 { #expect(rules.broke(time(0)) == nil) }
        #expect(rules.broke(time(9)) == .tooManyDiscontinuities)
        #expect(rules.broke(time(9)) == nil)
        #expect(rules.broke(time(20)) == nil)
    }

    @Test func `two hundred segments in ten seconds are borne`() {
        var rules = PublisherRules()
        for _ in 0..<200 { #expect(rules.segmentBegun(time(0)) == nil) }
        #expect(rules.segmentBegun(time(1)) == .tooManySegments)
        #expect(rules.broke(time(1)) == nil)
    }

    @Test func `an encoder that makes two segments a second breaks no rule`() {
        var rules = PublisherRules()
        for index in 0..<Int64(1_000) { #expect(rules.segmentBegun(time(index / 2)) == nil) }
    }
}
