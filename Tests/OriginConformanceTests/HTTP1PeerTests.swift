import NIOCore
import OriginServer
import OriginStore
import Testing

/// Peers of HTTP/1.1 that send ahead, read late, or take their time.
@Suite(.timeLimit(.minutes(2))) struct HTTP1PeerTests {
    private static let path = Case.path
    private static let get = "GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n"

    @Test(arguments: [false, true])
    func `a thousand requests sent at once are answered in their order, read late or not`(isLate: Bool) async throws {
        try await withOrigin { origin in
            for number in 0..<10 {
                let body = String(repeating: "\(number)", count: 9_000)
                #expect(try await origin.send(.put("/\(number).ts", body)).status == 201)
            }
            let connection = try await HTTP1Connection(to: origin.address, receiveBuffer: isLate ? 65_536 : nil)
            let inboxes = (0..<1_000).map { connection.expect(isHeadRequest: $0 % 20 == 11) }
            connection.send(
                (0..<1_000).map { number in
                    switch number % 20 {
                    case 10: "GET /none HTTP/1.1\r\nHost: a\r\n\r\n"
                    case 11: "HEAD /1.ts HTTP/1.1\r\nHost: a\r\n\r\n"
                    case 12: "OPTIONS /1.ts HTTP/1.1\r\nHost: a\r\n\r\n"
                    default: "GET /\(number % 10).ts HTTP/1.1\r\nHost: a\r\n\r\n"
                    }
                }.joined())
            if isLate {
                // Others' exchanges go by while this one does not read.
                for _ in 0..<20 { #expect(try await origin.send(.head("/1.ts")).status == 200) }
                try await connection.channel.setOption(.autoRead, value: true).get()
            }
            for (number, inbox) in inboxes.enumerated() {
                let response = try await inbox.wait(for: "response") { $0.end == nil ? nil : $0 }
                #expect(response.end == .whole)
                switch number % 20 {
                case 10: #expect(response.status == 404)
                case 11: #expect(response["Content-Length"] == "9000")
                case 12: #expect(response.status == 204)
                default:
                    let isSame = response.body == String(repeating: "\(number % 10)", count: 9_000)
                    #expect(isSame, "\(number)")
                }
            }
        }
    }

    /// What is answered without a body, and by itself would never wait for the peer.
    @Test(arguments: [
        "HEAD \(path) HTTP/1.1\r\nHost: a\r\n\r\n", "GET \(path) HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    ])
    func `who only asks, and never reads the answers, is not read either, and closed`(request: String) async throws {
        try await withOrigin {
            $0.stallLimit = .milliseconds(500)
        } _: { origin in
            #expect(try await origin.send(Case.object).status == 201)
            let connection = try await HTTP1Connection(to: origin.address, receiveBuffer: 65_536)
            let many = ByteBuffer(string: String(repeating: request, count: 1_000))
            let asking = connection.channel.eventLoop.scheduleRepeatedTask(
                initialDelay: .zero, delay: .milliseconds(1)
            ) { _ in if connection.channel.isWritable { connection.send(many) } }
            try await connection.closed()
            asking.cancel()
        }
    }

    @Test func `what follows a request for another protocol is not kept`() async throws {
        try await withOrigin { origin in
            let upload = try await origin.upload("/grows.ts", "one")
            let connection = try await HTTP1Connection(to: origin.address)
            let reader = connection.exchange(
                "GET /grows.ts HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
            try await reader.body("one")
            for _ in 0..<16 { connection.send(String(repeating: "x", count: 65_536)) }
            try await connection.closed()
            upload.abort()
        }
    }

    @Test func `a request for another protocol is answered in this one, and the last`() async throws {
        try await withOrigin { origin in
            #expect(try await origin.send(Case.object).status == 201)
            let fields = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
            let responses = try await origin.exchange("GET \(Self.path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
            #expect(responses.map(\.status) == [200])
            #expect(responses.first?["Connection"] == "close")
        }
    }

    @Test func `an upload sent ahead behind a response that still grows is taken after it`() async throws {
        try await withOrigin { origin in
            let upload = try await origin.upload("/grows.ts", "one")
            let connection = try await HTTP1Connection(to: origin.address)
            let growing = connection.open(.get("/grows.ts"))
            try await growing.body("one")
            let ahead = connection.open(.put(Self.path, "x"))
            let behind = connection.open(.get("/none"))
            #expect(try await origin.send(.get(Self.path)).status == 404)
            upload.finish()
            #expect(try await growing.response().end == .whole)
            #expect(try await ahead.response().status == 201)
            #expect(try await behind.response().status == 404)
            #expect(try await origin.send(.get(Self.path)).body == "x")
        }
    }

    /// Uploads that are put away at once, and beside the event loop.
    @Test(arguments: [1_000, 6_000_000])
    func `what is no request spoils no answer before it`(byteCount: Int) async throws {
        try await withOrigin { origin in
            let put = "PUT \(Self.path) HTTP/1.1\r\nHost: a\r\nContent-Length: \(byteCount)\r\n"
            let body = String(repeating: "x", count: byteCount)
            for (text, statuses) in [
                ("\(put)\r\n\(body)nonsense\r\n\r\n", [201, 501]),
                ("\(Self.get)\(Self.get)nonsense\r\n\r\n", [200, 200, 501]),
                ("\(put)Connection: close\r\n\r\n\(body)\(Self.get)", [204]),
                (
                    "\(put)\r\n\(body)DELETE \(Self.path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n\(Self.get)",
                    [204, 200]
                ),
                (
                    "\(Self.get)PUT \(Self.path) HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
                    [404, 400]
                ),
            ] {
                let responses = try await origin.exchange(text)
                #expect(responses.map(\.status) == statuses, "\(text.suffix(80))")
            }
        }
    }

    @Test func `who ends its side after a large upload is answered`() async throws {
        try await withOrigin { origin in
            let connection = try await HTTP1Connection(to: origin.address)
            connection.send("PUT \(Self.path) HTTP/1.1\r\nHost: a\r\nContent-Length: 30000000\r\n\r\n")
            connection.send(String(repeating: "x", count: 30_000_000))
            connection.closeOutput()
            #expect(try await connection.responsesUntilClosed().map(\.status) == [201])
            #expect(try await origin.send(.head(Self.path))["Content-Length"] == "30000000")
        }
    }

    @Test func `who ends its side is sent the rest of a complete object`() async throws {
        try await withOrigin { origin in
            let body = String(repeating: "x", count: 30_000_000)
            #expect(try await origin.send(.put(Self.path, body)).status == 201)
            let connection = try await HTTP1Connection(to: origin.address)
            let inbox = connection.expect()
            connection.send(Self.get)
            connection.closeOutput()
            let response = try await inbox.wait(for: "response") { $0.end == nil ? nil : $0 }
            #expect(response.end == .whole)
            #expect(response.bytes.readableBytes == 30_000_000)
        }
    }

    @Test func `the start of an upload sent ahead is served when its turn has come`() async throws {
        try await withOrigin {
            $0.holdMissing = .seconds(20)
        } _: { origin in
            let upload = try await origin.upload("/grows.ts", "one")
            let connection = try await HTTP1Connection(to: origin.address)
            let growing = connection.open(.get("/grows.ts"))
            try await growing.body("one")
            let ahead = connection.open(.stream(Self.path, ["first"]), isBodyOpen: true)
            try await origin.turnEventLoops()
            upload.finish()
            #expect(try await growing.response().end == .whole)
            let reader = try await origin.open(.get(Self.path), over: .http1)
            try await reader.body("first")
            ahead.finish()
            #expect(try await ahead.response().status == 201)
        }
    }

    @Test func `of more requests than may come ahead the first are answered, and the connection ends`() async throws {
        try await withOrigin { origin in
            #expect(try await origin.send(Case.object).status == 201)
            let upload = try await origin.upload("/grows.ts", "one")
            let connection = try await HTTP1Connection(to: origin.address)
            // Of who has uploaded much is read at a time.
            #expect(
                try await connection.open(.put("/b.ts", String(repeating: "x", count: 300_000))).response().status
                    == 201)
            connection.send("GET /grows.ts HTTP/1.1\r\nHost: a\r\n\r\n" + String(repeating: Self.get, count: 1_000))
            for _ in 0..<20 { #expect(try await origin.send(.head(Self.path)).status == 200) }
            upload.finish()
            let responses = try await connection.responsesUntilClosed()
            #expect((100..<1_000).contains(responses.count))
            #expect(responses.allSatisfy { $0.status == 200 && $0.end == .whole })
            #expect(responses.first?.body == "one" && responses.last?.body == "0123456789")
            #expect(responses.last?["Connection"] == "close")
        }
    }

    @Test func `the body of a GET is read over`() async throws {
        try await withOrigin { origin in
            #expect(try await origin.send(Case.object).status == 201)
            let connection = try await HTTP1Connection(to: origin.address)
            for body in ["Content-Length: 5\r\n\r\nabcde", "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"] {
                let first = connection.exchange("GET \(Self.path) HTTP/1.1\r\nHost: a\r\n\(body)")
                let second = connection.exchange(Self.get)
                #expect(try await first.response().body == "0123456789")
                #expect(try await second.response().body == "0123456789")
            }
        }
    }

    @Test func `a peer that sends its request slowly for ever is closed all the same`() async throws {
        try await withOrigin {
            $0.requestTimeout = .milliseconds(300)
        } _: { origin in
            let connection = try await HTTP1Connection(to: origin.address)
            connection.send("GET \(Self.path) HTTP/1.1\r\nHost: a\r\nX: ")
            let dripping = connection.channel.eventLoop.scheduleRepeatedTask(
                initialDelay: .zero, delay: .milliseconds(20)
            ) { _ in connection.send("X") }
            try await connection.closed()
            dripping.cancel()
        }
    }

    @Test(arguments: [false, true])
    func `a slow reader gets every byte of a large object, also where the connection is closed after`(
        closes: Bool
    ) async throws {
        try await withOrigin { origin in
            #expect(try await origin.send(.put(Self.path, String(repeating: "a", count: 8_000_000))).status == 201)
            let connection = try await HTTP1Connection(to: origin.address, receiveBuffer: 65_536)
            let reader = connection.open(.get(Self.path), closes: closes)
            // Another's exchange goes by while this one does not read.
            #expect(try await origin.send(.head(Self.path)).status == 200)
            reader.startReading()
            let response = try await reader.response()
            #expect(response.end == .whole)
            #expect(response.bytes.readableBytes == 8_000_000)
            if closes { try await connection.closed() }
        }
    }

    @Test func `a slow reader does not keep what is gone where there is no room for it`() async throws {
        try await withOrigin {
            $0.store.memoryLimitBytes = 12 << 20
            $0.store.streamMemoryLimitBytes = 12 << 20
            $0.stallLimit = .minutes(10)
        } _: { origin in
            let body = String(repeating: "a", count: 8 << 20)
            #expect(try await origin.send(.put(Self.path, body)).status == 201)
            let connection = try await HTTP1Connection(to: origin.address, receiveBuffer: 65_536)
            let reader = connection.open(.get(Self.path))
            // Reads once: the head, and little of the body.
            connection.channel.read()
            #expect(try await reader.head().status == 200)
            #expect(try await origin.send(.put("/live/s/b.ts", body)).status == 201)
            #expect(try await origin.send(.head(Self.path)).status == 404)
            try await origin.logged("reader cut reason=stalled")
            reader.startReading()
            #expect(try await reader.response().end != .whole)
        }
    }

    @Test func `peers that leave all at once are all let go of, and those that stay are served`() async throws {
        try await withOrigin { origin in
            let upload = try await origin.upload("/grows.ts", "one")
            let staying = try await origin.open(.get("/grows.ts"), over: .http1)
            try await staying.body("one")
            var leaving: [HTTP1Connection] = []
            for number in 0..<300 {
                let connection = try await HTTP1Connection(to: origin.address)
                switch number % 3 {
                case 0: connection.send("GET /grows.ts HTTP/1.1\r\nHo")
                case 1: try await connection.open(.get("/grows.ts")).body("one")
                default: break
                }
                leaving.append(connection)
            }
            for connection in leaving { connection.closeOutput() }
            for connection in leaving { try await connection.closed() }
            upload.send("two")
            try await staying.body("onetwo")
            upload.finish()
            #expect(try await staying.response().end == .whole)
        }
    }

    @Test func `when all is over and expired nothing is held`() async throws {
        try await withOrigin { origin in
            let list = playlist(["0.ts"], announcing: ["1.ts", "2.ts"])
            #expect(try await origin.send(.put("/live/s/0.ts", "x")).status == 201)
            #expect(try await origin.send(.put("/live/s/a.m3u8", list)).status == 201)
            let announced = try await origin.open(.get("/live/s/2.ts"), over: .http1)
            _ = try await announced.head()
            let growing = try await origin.upload("/live/s/1.ts", "one")
            let viewer = try await origin.open(.get("/live/s/1.ts"), over: .http1)
            try await viewer.body("one")
            let replacing = try await origin.upload("/live/s/0.ts", "")
            replacing.send("other")
            let store = origin.server.store
            #expect(store.heldBytes > 0)
            growing.abort()
            replacing.abort()
            for path in ["/live/s/0.ts", "/live/s/1.ts"] { try await origin.logged("upload broke off path=\(path)") }
            try await origin.turnEventLoops()
            // An hour goes by in the store, and another for what its playlist had listed.
            for hours in Int64(1)...2 { _ = store.timePassed(now: .now() + .hours(hours)) }
            #expect(try await viewer.response().end != .whole)
            #expect(try await announced.response().end != .whole)
            try await origin.turnEventLoops()
            // A stream goes when the last who read of it has let go.
            _ = store.timePassed(now: .now() + .hours(3))
            #expect(store.counts == (0, 0))
            #expect(store.heldBytes == 0)
        }
    }
}
