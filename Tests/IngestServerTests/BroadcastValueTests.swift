import IngestServer
import NIOCore
import Testing

@Suite struct StreamNameTests {
    @Test(arguments: [
        ("live", "stream", "/live/stream"), ("live/inst", "a_b-c.d~e", "/live/inst/a_b-c.d~e"),
        ("live", "folder/stream", "/live/folder/stream"),
    ])
    func `names of plain path components are taken`(_ app: String, _ stream: String, _ path: String) {
        #expect(StreamName(app: app, stream: stream)?.path == path)
    }

    @Test(arguments: [
        ("", "a"), ("live", ""), ("live", ".."), ("live", ".hidden"), ("live", "a/../b"), ("live", "a//b"),
        ("live", "a b"), ("live", "ä"), ("live", "a%2f"), ("live", "a\u{0}"), ("/live", "a"), ("live", "a\\b"),
        ("live", String(repeating: "a", count: 300)),
    ])
    func `names that could leave their folder or need escaping are refused`(_ app: String, _ stream: String) {
        #expect(StreamName(app: app, stream: stream) == nil)
    }

    @Test func `an object's folder is its stream`() {
        #expect(StreamName(folderOf: "/live/stream/source-1.ts") == StreamName(app: "live", stream: "stream"))
    }
}

@Suite struct BroadcastIdentityTests {
    @Test func `no two broadcasts share a name, and numbers rise with time`() {
        let now: UInt64 = 1_795_395_972_949
        let identities = (0..<1_000).map { _ in BroadcastIdentity(unixMilliseconds: now) }
        #expect(Set(identities.map(\.id)).count == 1_000)
        // A day of one-second segments later, the next broadcast still begins above.
        let day: UInt64 = 86_400_000
        let later = BroadcastIdentity(unixMilliseconds: now + day).firstNumber
        #expect(later > identities[0].firstNumber + 86_400)
    }

    @Test func `a clock before 2026 begins at nought`() {
        #expect(BroadcastIdentity(unixMilliseconds: 0).firstNumber == 0)
    }
}
