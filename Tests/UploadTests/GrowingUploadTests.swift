import NIOCore
import NIOHTTP1
import Synchronization
import Testing

import Upload

@Suite(.timeLimit(.minutes(1)))
struct GrowingUploadTests {
    @Test func `bytes arrive while the body is still open`() async throws {
        let origin = try await Origin(answer: accept)
        let setup = try UploadSetup(origin.url)
        let body = setup.open("/live/s/1.ts", epoch: PublishEpoch(42))
        body.append(ByteBuffer(bytes: pattern(1_000)))
        try await origin.journal.wait(for: { $0.received("/live/s/1.ts") == pattern(1_000) })
        body.append(ByteBuffer(bytes: pattern(500, from: 1_000)))
        let events = try await origin.journal.wait(for: { $0.received("/live/s/1.ts") == pattern(1_500) })
        #expect(!events.delivered("/live/s/1.ts"))
        body.finish()
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 1)
        #expect(origin.journal.events.delivered("/live/s/1.ts"))

        let head = try #require(events.heads("/live/s/1.ts").first)
        #expect(head.method == .PUT)
        #expect(head.version == .http1_1)
        #expect(head.headers["transfer-encoding"] == ["chunked"])
        #expect(head.headers["headwater-epoch"] == ["42"])
        #expect(head.headers["content-type"] == ["video/mp2t"])
        #expect(head.headers["user-agent"] == ["headwater-ingest"])
        #expect(!head.headers.contains(name: "expect"))
        #expect(!head.headers.contains(name: "content-length"))
        await setup.end()
    }

    @Test func `a request starts before the first byte`() async throws {
        let origin = try await Origin(answer: accept)
        let setup = try UploadSetup("\(origin.url)/prefix/")
        let body = setup.open("live/s/1.ts")
        try await origin.journal.wait(for: { !$0.heads("/prefix/live/s/1.ts").isEmpty })
        body.abandon()
        try await setup.metrics.wait(for: "transfers/0/abandoned", total: 1)
        try await origin.journal.wait(for: { $0.contains { if case .closed = $0 { true } else { false } } })
        #expect(!origin.journal.events.delivered("/prefix/live/s/1.ts"))
        await setup.end()
    }

    @Test func `a large body arrives whole`() async throws {
        let origin = try await Origin(answer: accept)
        let setup = try UploadSetup(origin.url)
        let body = setup.open("/live/s/1.ts")
        let bytes = pattern(500_000)
        for start in stride(from: 0, to: bytes.count, by: 20_011) {
            body.append(ByteBuffer(bytes: bytes[start..<min(start + 20_011, bytes.count)]))
        }
        body.finish()
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 1)
        #expect(origin.journal.events.received("/live/s/1.ts") == bytes)
        #expect(setup.metrics.total("bytes/0") == 500_000)
        await setup.end()
    }

    @Test func `a dead and a stalled destination do not delay another one`() async throws {
        let origin = try await Origin(answer: accept)
        let stalled = try await Origin(reads: false, answer: accept)
        let dead = try DeadPort()
        let setup = try UploadSetup(dead.url, stalled.url, origin.url)
        let megabyte = ByteBuffer(repeating: 1, count: 1 << 20)
        let body = setup.open("/live/s/1.ts")
        for count in 1...20 {
            body.append(megabyte)
            try await origin.journal.wait(for: { $0.received("/live/s/1.ts").count == count << 20 })
        }
        body.finish()
        try await setup.metrics.wait(for: "transfers/2/delivered", total: 1)
        #expect(setup.metrics.total("transfers/1/delivered") == 0)
        setup.uploader.expire(body)
        try await setup.metrics.wait(for: "transfers/0/dropped", total: 1)
        try await setup.metrics.wait(for: "transfers/1/dropped", total: 1)
        await setup.end()
    }

    @Test func `sequential objects reuse the connection`() async throws {
        let origin = try await Origin(answer: accept)
        let setup = try UploadSetup(origin.url)
        for number in 1...5 {
            let body = setup.open("/live/s/\(number).ts")
            body.append(ByteBuffer(bytes: pattern(100)))
            body.finish()
            try await setup.metrics.wait(for: "transfers/0/delivered", total: Int64(number))
        }
        #expect(origin.journal.events.connections == 1)
        #expect(setup.metrics.total("connections/0") == 1)
        await setup.end()
    }

    @Test func `expiry while the origin is down is counted and releases the body`() async throws {
        let dead = try DeadPort()
        let origin = try await Origin(answer: accept)
        let setup = try UploadSetup(dead.url, origin.url)
        weak var released: GrowingBody?
        do {
            let body = setup.open("/live/s/1.ts")
            released = body
            body.append(ByteBuffer(bytes: pattern(100)))
            body.finish()
            try await setup.metrics.wait(for: "transfers/1/delivered", total: 1)
            try await setup.metrics.wait(for: "retries/0", total: 2)
            #expect(setup.metrics.total("transfers/0/dropped") == 0)
            setup.uploader.expire(body)
        }
        try await setup.metrics.wait(for: "transfers/0/dropped", total: 1)
        // A later turn of the thread: the one that dropped the body is over.
        setup.put("/live/s/s.m3u8", "later")
        try await setup.metrics.wait(for: "transfers/1/delivered", total: 2)
        #expect(released == nil)
        await setup.end()
    }

    @Test func `a delivered body keeps no bytes`() async throws {
        let origin = try await Origin(answer: accept)
        let setup = try UploadSetup(origin.url)
        let body = setup.open("/live/s/1.ts")
        body.append(ByteBuffer(bytes: pattern(100)))
        body.finish()
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 1)
        await setup.end()
        #expect(body.heldBytes == 0)
        #expect(body.count == 100)
    }

    @Test func `a body longer than its limit is abandoned`() async throws {
        let origin = try await Origin(answer: accept)
        let setup = try UploadSetup(origin.url) { $0.bodyBytesLimit = 150 }
        let body = setup.open("/live/s/1.ts")
        body.append(ByteBuffer(bytes: pattern(100)))
        body.append(ByteBuffer(bytes: pattern(100)))
        try await setup.metrics.wait(for: "transfers/0/abandoned", total: 1)
        await setup.end()
    }

    @Test func `a full queue drops the oldest waiting object`() async throws {
        let dead = try DeadPort()
        let setup = try UploadSetup(dead.url) {
            $0.transfersLimit = 3
            $0.firstRetryDelay = .seconds(60)
            $0.longestRetryDelay = .seconds(60)
        }
        let first = setup.open("/live/s/0.ts")
        try await setup.metrics.wait(for: "retries/0", total: 1)
        for number in 1...3 { _ = setup.open("/live/s/\(number).ts") }
        try await setup.metrics.wait(for: "transfers/0/dropped", total: 1)
        #expect(first.isReleased)
        await setup.end()
    }

    @Test func `shutdown delivers what is finished and gives up the rest`() async throws {
        let origin = try await Origin { _, head in head.uri == "/live/s/1.ts" ? .gated(.created) : .atEnd(.created) }
        let setup = try UploadSetup(origin.url)
        let finished = setup.open("/live/s/1.ts")
        finished.append(ByteBuffer(repeating: 1, count: 3_000_000))
        finished.finish()
        let open = setup.open("/live/s/2.ts")
        open.append(ByteBuffer(bytes: pattern(10)))
        async let end: Void = setup.uploader.shutdown(within: .seconds(10))
        try await origin.journal.wait(for: { $0.delivered("/live/s/1.ts") })
        origin.openGate()
        await end
        #expect(setup.metrics.total("transfers/0/delivered") == 1)
        #expect(setup.metrics.total("transfers/0/dropped") == 1)
        #expect(!origin.journal.events.delivered("/live/s/2.ts"))
        let late = setup.open("/live/s/3.ts")
        #expect(late.isReleased)
        #expect(setup.metrics.total("transfers/0/dropped") == 2)
    }

    @Test func `a path that leads elsewhere is sent nowhere`() async throws {
        let origin = try await Origin(answer: accept)
        let setup = try UploadSetup(origin.url)
        let body = setup.open("/live/../secret")
        body.append(ByteBuffer(bytes: pattern(10)))
        setup.put("/live//x", "y")
        #expect(setup.metrics.total("transfers/0/invalid") == 2)
        setup.put("/live/a b?c", "y")
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 1)
        #expect(origin.journal.events.heads("/live/a%20b%3Fc").count == 1)
        #expect(origin.journal.events.connections == 1)
        await setup.end()
    }
}
