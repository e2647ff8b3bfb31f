import NIOCore
import NIOHTTP1
import Testing

import Upload

@Suite(.timeLimit(.minutes(1)))
struct WholeUploadTests {
    @Test func `a whole object has its length and no chunks`() async throws {
        let origin = try await Origin(answer: accept)
        let setup = try UploadSetup(origin.url)
        setup.put("/live/s/s.m3u8", "#EXTM3U")
        setup.put("/live/s/empty", "")
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 2)
        let events = origin.journal.events
        let head = try #require(events.heads("/live/s/s.m3u8").first)
        #expect(head.headers["content-length"] == ["7"])
        #expect(!head.headers.contains(name: "transfer-encoding"))
        #expect(!head.headers.contains(name: "expect"))
        #expect(head.headers["headwater-epoch"] == ["7"])
        #expect(events.received("/live/s/s.m3u8") == Array("#EXTM3U".utf8))
        #expect(events.heads("/live/s/empty").first?.headers["content-length"] == ["0"])
        await setup.end()
    }

    @Test func `the newest waiting version follows the one in flight`() async throws {
        let origin = try await Origin { number, _ in number == 1 ? .gated(.ok) : .atEnd(.ok) }
        let setup = try UploadSetup(origin.url)
        setup.put("/p", "one")
        try await origin.journal.wait(for: { $0.delivered("/p") })
        setup.put("/p", "two")
        setup.put("/p", "three")
        try await setup.metrics.wait(for: "transfers/0/replaced", total: 1)
        #expect(origin.journal.events.bodies("/p").count == 1)
        origin.openGate()
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 2)
        #expect(
            origin.journal.events.bodies("/p").map { String(decoding: $0.bytes, as: UTF8.self) } == ["one", "three"])
        await setup.end()
    }

    @Test func `a version that failed gives way to a newer one`() async throws {
        let origin = try await Origin { number, _ in number == 1 ? .gated(.badGateway) : .atEnd(.ok) }
        let setup = try UploadSetup(origin.url)
        setup.put("/p", "one")
        try await origin.journal.wait(for: { $0.delivered("/p") })
        setup.put("/p", "two")
        // Another path's delivery tells that the second version is there before the first one fails.
        setup.put("/q", "x")
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 1)
        origin.openGate()
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 2)
        #expect(setup.metrics.total("transfers/0/replaced") == 1)
        #expect(origin.journal.events.bodies("/p").map { String(decoding: $0.bytes, as: UTF8.self) } == ["one", "two"])
        await setup.end()
    }

    @Test func `a version that waits for its retry is replaced at once`() async throws {
        let dead = try DeadPort()
        let setup = try UploadSetup(dead.url)
        setup.put("/p", "one")
        try await setup.metrics.wait(for: "retries/0", total: 1)
        for version in 2...50 { setup.put("/p", "\(version)") }
        // Whether each of the others waits or is a probe in flight, the newest version is left alone in the end.
        try await setup.metrics.wait(for: "transfers/0/replaced", total: 49)
        let origin = try await Origin(on: dead.takeSocket(), answer: accept)
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 1)
        #expect(origin.journal.events.bodies("/p").map { String(decoding: $0.bytes, as: UTF8.self) } == ["50"])
        await setup.end()
    }

    @Test func `a whole object is given up when its time is over`() async throws {
        let dead = try DeadPort()
        let setup = try UploadSetup(dead.url) { $0.wholeLifetime = .milliseconds(60) }
        setup.put("/p", "one")
        try await setup.metrics.wait(for: "transfers/0/dropped", total: 1)
        await setup.end()
    }
}
