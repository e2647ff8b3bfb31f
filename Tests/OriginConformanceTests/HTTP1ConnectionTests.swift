import NIOCore
import OriginServer
import OriginStore
import Testing

/// What HTTP/1.1 and 1.0 do with connections (`RFC 9112 §9`).
@Suite(.timeLimit(.minutes(2))) struct HTTP1ConnectionTests {
    private static let path = Case.path
    private static let get = "GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n"

    private func withObject(_ body: @Sendable (Origin) async throws -> Void) async throws {
        try await withOrigin { origin in
            #expect(try await origin.send(Case.object).status == 201)
            try await body(origin)
        }
    }

    @Test func `requests sent at once are answered in their order`() async throws {
        try await withObject { origin in
            let connection = try await HTTP1Connection(to: origin.address)
            let requests = [
                "GET \(Self.path) HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD \(Self.path) HTTP/1.1\r\nHost: a\r\n\r\n",
                "GET /none HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
                "GET \(Self.path) HTTP/1.1\r\nHost: a\r\nRange: bytes=1-2\r\n\r\n",
                "GET \(Self.path) HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\n\r\n",
                "GET \(Self.path) HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
            ]
            for _ in 0..<20 {
                let inboxes = requests.map { connection.expect(isHeadRequest: $0.hasPrefix("HEAD")) }
                connection.send(requests.joined())
                var statuses: [Int] = []
                for inbox in inboxes {
                    let response = try await inbox.wait(for: "response") { $0.end == nil ? nil : $0 }
                    #expect(response.end == .whole)
                    statuses.append(response.status)
                }
                #expect(statuses == [200, 200, 404, 204, 206, 304, 200])
            }
        }
    }

    @Test func `requests behind one for a growing object wait their turn`() async throws {
        try await withObject { origin in
            let upload = try await origin.upload("/grows.ts", "one")
            let connection = try await HTTP1Connection(to: origin.address)
            let growing = connection.open(.get("/grows.ts"))
            let whole = connection.open(.get(Self.path))
            try await growing.body("one")
            #expect(whole.inbox.value.status == 0)
            upload.send("two")
            upload.finish()
            #expect(try await growing.response().body == "onetwo")
            #expect(try await whole.response().body == "0123456789")
        }
    }

    @Test func `uploads sent at once are all stored`() async throws {
        try await withObject { origin in
            let connection = try await HTTP1Connection(to: origin.address)
            let uploads = (0..<50).map { number in
                number.isMultiple(of: 2)
                    ? connection.open(.put("/\(number).ts", "body \(number)"))
                    : connection.open(.stream("/\(number).ts", ["body", " \(number)"]))
            }
            for upload in uploads { #expect(try await upload.response().status == 201) }
            for number in 0..<50 {
                #expect(try await connection.open(.get("/\(number).ts")).response().body == "body \(number)")
            }
        }
    }

    @Test func `a request may come byte by byte`() async throws {
        try await withObject { origin in
            let connection = try await HTTP1Connection(to: origin.address)
            let upload = connection.expect()
            let text =
                "PUT /b.ts HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n"
                + "3;name=value\r\none\r\n003\r\ntwo\r\n0\r\nX: y\r\n\r\n"
            for byte in text.utf8 { connection.send(ByteBuffer(bytes: [byte])) }
            #expect(try await upload.wait(for: "response") { $0.end == nil ? nil : $0 }.status == 201)
            #expect(try await connection.open(.get("/b.ts")).response().body == "onetwo")
        }
    }

    static let closing = [
        "GET \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET \(path) HTTP/1.1\r\nHost: a\r\nConnection: CLOSE\r\n\r\n",
        "GET \(path) HTTP/1.1\r\nHost: a\r\nConnection: x, close\r\n\r\n",
        "GET \(path) HTTP/1.0\r\n\r\n",
        "GET \(path) HTTP/1.0\r\nHost: a\r\n\r\n",
        "GET \(path) HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    ]

    @Test(arguments: closing)
    func `a connection that is not to be kept is closed after the response`(request: String) async throws {
        try await withObject { origin in
            let responses = try await origin.exchange(request + Self.get)
            #expect(responses.map(\.status) == [200])
            #expect(responses.first?.body == "0123456789")
            #expect(responses.first?["Connection"] == "close")
        }
    }

    @Test func `a connection is kept for more requests, errors too`() async throws {
        try await withObject { origin in
            let connection = try await HTTP1Connection(to: origin.address)
            for request in [
                Request.get(Self.path), .get("/none"), .head("/none"), .get(Self.path, "Range: bytes=99-"),
                .put("/b.ts", "x"), .delete("/b.ts"), .delete("/b.ts"), .options("*"), .get(Self.path),
            ] {
                let response = try await connection.open(request).response()
                #expect(response.status > 0)
                #expect(response["Connection"] == nil)
            }
        }
    }

    @Test func `an idle connection is closed after its time, and a used one has it anew`() async throws {
        try await withOrigin {
            $0.idleTimeout = .seconds(2)
        } _: { origin in
            attempts: for _ in 0..<10 {
                let connection = try await HTTP1Connection(to: origin.address)
                var rested = NIODeadline.now()
                for request in 0..<4 {
                    // The rests themselves: together longer than the time, none by itself.
                    if request > 0 { try await Task.sleep(for: .milliseconds(800)) }
                    let asked = NIODeadline.now()
                    guard try await connection.open(.get("/none")).response().status == 404 else {
                        // On a busy host a rest may become longer than the time.
                        let rest = NIODeadline.now() - rested
                        try #require(rest >= .seconds(2))
                        continue attempts
                    }
                    rested = asked
                }
                try await connection.closed()
                #expect(.now() - rested >= .seconds(2))
                return
            }
            Issue.record("each attempt had a rest that was too long")
        }
    }

    @Test(arguments: ["", "G", "GET / HTTP/1.1\r\nHost: a\r\nX: ", "\r\n\r\n", "PR", "PRI * HTTP/2.0\r\n"])
    func `a request that does not come to its end is not waited for`(start: String) async throws {
        try await withOrigin {
            $0.requestTimeout = .milliseconds(200)
        } _: { origin in
            let connection = try await HTTP1Connection(to: origin.address)
            connection.send(start)
            try await connection.closed(within: .seconds(10))
        }
    }

    @Test func `a peer that ends its side still gets the answer`() async throws {
        try await withObject { origin in
            let connection = try await HTTP1Connection(to: origin.address)
            let inbox = connection.expect()
            connection.send("GET \(Self.path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            connection.closeOutput()
            let response = try await inbox.wait(for: "response") { $0.end == nil ? nil : $0 }
            #expect(response.status == 200)
            #expect(response.end == .whole)
            #expect(response.body == "0123456789")
        }
    }

    // MARK: HTTP/1.0

    @Test func `a client of HTTP 1.0 gets a growing object when it is whole`() async throws {
        try await withOrigin { origin in
            let upload = try await origin.upload("/a.ts", "one")
            let connection = try await HTTP1Connection(to: origin.address)
            let old = connection.exchange("GET /a.ts HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let young = try await origin.open(.get("/a.ts"), over: .http1)
            upload.send("two")
            try await young.body("onetwo")
            #expect(old.inbox.value.status == 0)
            upload.finish()
            let response = try await old.response()
            #expect(response.status == 200)
            #expect(response["Content-Length"] == "6")
            #expect(response["Transfer-Encoding"] == nil)
            #expect(response["Connection"] == "close")
            #expect(response.body == "onetwo")
            try await connection.closed()
        }
    }

    @Test func `a client of HTTP 1.0 is cut where the object never becomes whole`() async throws {
        try await withOrigin { origin in
            let upload = try await origin.upload("/a.ts", "one")
            let connection = try await HTTP1Connection(to: origin.address)
            let old = connection.exchange("GET /a.ts HTTP/1.0\r\n\r\n")
            upload.abort()
            let response = try await old.response()
            #expect(response.end != .whole || response.status == 404)
        }
    }

    @Test func `a client of HTTP 1.0 may upload what it tells the length of`() async throws {
        try await withOrigin { origin in
            let text = "PUT /a.ts HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\none"
            let responses = try await origin.exchange(text)
            #expect(responses.map(\.status) == [201])
            #expect(responses.first?.interim == [])
            #expect(try await origin.send(.get("/a.ts")).body == "one")
        }
    }
}
