import OriginServer
import Testing

@Suite struct RouteClassTests {
    @Test func `every status has its own place, and no other has one`() {
        #expect(SentStatus.all == SentStatus.all.sorted())
        for (index, status) in SentStatus.all.enumerated() { #expect(SentStatus.index(of: status) == index) }
        let known = (0...700).filter { SentStatus.index(of: UInt($0)) != nil }
        #expect(known.map(UInt.init) == SentStatus.all)
        #expect(SentStatus.index(of: .max) == nil)
    }

    @Test func `labels are short words`() {
        #expect(RouteClass.allCases.allSatisfy { $0.rawValue.allSatisfy { $0.isLowercase } })
        #expect(Set(RouteClass.allCases.map(\.rawValue)).count == 9)
    }
}
