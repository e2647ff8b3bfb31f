import FoundationEssentials
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

    @Test(arguments: SentStatus.all)
    func `the contract tells every status`(status: UInt) throws {
        let root = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = String(decoding: try Data(contentsOf: root.appending(path: "docs/push-contract.md")), as: UTF8.self)
        let words = text.split { !$0.isLetter && !$0.isNumber }
        #expect(words.contains(Substring("\(status)")))
    }

    @Test func `labels are short words`() {
        #expect(RouteClass.allCases.allSatisfy { $0.rawValue.allSatisfy { $0.isLowercase } })
        #expect(Set(RouteClass.allCases.map(\.rawValue)).count == 9)
    }
}
