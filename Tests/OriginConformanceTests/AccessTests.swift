import Foundation
import OriginAccess
import OriginServer
import OriginStore
import Testing

/// Who may write, who may read, and how much of anything.
@Suite(.timeLimit(.minutes(2))) struct AccessTests {
    private static let path = Case.path
    private static let tokens = """
        # whoever has this may publish everything
        everything-0123456789
        only-the-show-0123456789 /live/s
        """
    private static let everything = "Authorization: Bearer everything-0123456789"
    private static let show = "Authorization: Bearer only-the-show-0123456789"
    private static let new = "/live/s/new.ts"

    private static func basic(_ token: String) -> String {
        "Authorization: Basic \(Data("user:\(token)".utf8).base64EncodedString())"
    }

    static let writing = [
        Case("no token", stored: [], .put(new, "x"), 401),
        Case("no token, of unknown length", stored: [], .stream(new, ["x"]), 401),
        Case("no token, with the question first", stored: [], .put(new, "x", "Expect: 100-continue"), 401),
        Case("a wrong token", stored: [], .put(new, "x", "Authorization: Bearer everything-0123456780"), 401),
        Case("half a token", stored: [], .put(new, "x", "Authorization: Bearer everything"), 401),
        Case("nothing after the scheme", stored: [], .put(new, "x", "Authorization: Bearer "), 401),
        Case("another scheme", stored: [], .put(new, "x", "Authorization: Digest x"), 401),
        Case("the comment is no token", stored: [], .put(new, "x", "Authorization: Bearer #"), 401),
        Case("no token, DELETE", stored: [], .delete(new), 401),
        Case("no token, POST", stored: [], .post(new, "x"), 401),
        Case("a token", stored: [], .put(new, "x", everything), 201),
        Case(
            "a token with its scheme in lower case", stored: [],
            .put(new, "x", "Authorization: bearer everything-0123456789"), 201),
        Case("a token as password", stored: [], .put(new, "x", basic("everything-0123456789")), 201),
        Case("a wrong password", stored: [], .put(new, "x", basic("everything")), 401),
        Case("a token for the show", stored: [], .put(new, "x", show), 201),
        Case("a token for another show", stored: [], .put("/live/other/a.ts", "x", show), 403),
        Case("a token for what only begins like it", stored: [], .put("/live/show/a.ts", "x", show), 403),
        Case("a token and a path out of the show", stored: [], .put("/live/s/../other/a.ts", "x", show), 400),
        Case("the removal by another show's token", stored: [], .delete("/live/other/a.ts", show), 403),
        Case("reading needs none", stored: [], .get(new), 404),
    ]

    @Test(arguments: writing, HTTPVersion.allCases)
    func `with tokens, nobody publishes without one`(row: Case, version: HTTPVersion) async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/tokens"
            try Data(Self.tokens.utf8).write(to: URL(filePath: file))
            try await row.with { $0.files.publishTokens = file }.check(over: version)
        }
    }

    @Test(arguments: HTTPVersion.allCases)
    func `tokens are read anew when the origin is told to`(version: HTTPVersion) async throws {
        try await withTemporaryFolder { folder in
            let file = URL(filePath: "\(folder)/tokens")
            try Data(Self.tokens.utf8).write(to: file)
            try await withOrigin {
                $0.files.publishTokens = file.path
            } _: { origin in
                #expect(try await origin.send(.put(Self.new, "x", Self.everything), over: version).status == 201)
                try Data("another-0123456789".utf8).write(to: file)
                origin.server.reload()
                #expect(try await origin.send(.put(Self.new, "x", Self.everything), over: version).status == 401)
                let other = "Authorization: Bearer another-0123456789"
                #expect(try await origin.send(.put(Self.new, "x", other), over: version).status == 204)
                try Data("short".utf8).write(to: file)
                origin.server.reload()
                #expect(try await origin.send(.put(Self.new, "x", other), over: version).status == 204)
                #expect(try await origin.send(.put(Self.new, "x"), over: version).status == 401)
            }
        }
    }

    @Test(arguments: HTTPVersion.allCases)
    func `with signing keys, nobody reads without a signature`(version: HTTPVersion) async throws {
        let text = "key \(String(repeating: "s", count: 32))"
        let keys = try SigningKeys(parsing: text)
        let now = Int(Date.now.timeIntervalSince1970)
        let good = try keys.sign(prefix: "/live/s/", expires: now + 3_600)
        let old = try keys.sign(prefix: "/live/s/", expires: now - 10)
        let other = try keys.sign(prefix: "/live/other/", expires: now + 3_600)
        let rows: [(request: Request, status: Int)] = [
            (.get(Self.path), 403), (.get("\(Self.path)?x=1"), 403), (.get("\(Self.path)?\(old)"), 403),
            (.get("\(Self.path)?\(other)"), 403), (.get("\(Self.path)?\(good)x"), 403),
            (.head(Self.path), 403), (.get("/live/s/none.ts"), 403),
            (.get("\(Self.path)?\(good)"), 200), (.head("\(Self.path)?\(good)"), 200),
            (.get("\(Self.path)?a=b&\(good)&c=d"), 200), (.get("/live/s/none.ts?\(good)"), 404),
            (.get(Self.path, "Cookie: a=b; Headwater-Signature=\(good); c=d"), 200),
            (.get(Self.path, "Cookie: Headwater-Signature=\(old)"), 403),
            (.options(Self.path), 204),
        ]
        try await withTemporaryFolder { folder in
            let file = "\(folder)/keys"
            try Data(text.utf8).write(to: URL(filePath: file))
            try await withOrigin {
                $0.files.signingKeys = file
            } _: { origin in
                #expect(try await origin.send(Case.object, over: version).status == 201)
                for (request, status) in rows {
                    let response = try await origin.send(request, over: version)
                    #expect(response.status == status, "\(request)")
                    Invariants.check(response, to: request, over: version)
                }
            }
        }
    }

    @Test(arguments: HTTPVersion.allCases)
    func `with a listener for publishers, players can neither upload nor remove`(version: HTTPVersion) async throws {
        try await withOrigin {
            $0.publishListen = SocketEndpoint(host: "127.0.0.1", port: 0)
        } _: { origin in
            #expect(try await origin.send(Case.object, over: version, publishing: true).status == 201)
            for request in [Request.put(Self.path, "x"), .post(Self.path, "x"), .delete(Self.path)] {
                let response = try await origin.send(request, over: version)
                #expect(response.status == 405)
                #expect(response["Allow"] == "GET, HEAD, OPTIONS")
                Invariants.check(response, to: request, over: version)
            }
            let response = try await origin.send(.get(Self.path), over: version, publishing: true)
            #expect(response.status == 405)
            #expect(response["Allow"] == "OPTIONS, PUT, POST, DELETE")
            #expect(try await origin.send(.get(Self.path), over: version).body == "0123456789")
        }
    }

    // MARK: How much

    @Test(arguments: HTTPVersion.allCases)
    func `an address that errs without end is slowed down, and told when to come again`(
        version: HTTPVersion
    ) async throws {
        try await withOrigin {
            $0.errorRate = 1
        } _: { origin in
            try await origin.send(Case.object, over: version)
            var statuses: Set<Int> = []
            for number in 0..<50 {
                let request = Request.get("/none\(number).ts")
                let response = try await origin.send(request, over: version)
                Invariants.check(response, to: request, over: version)
                statuses.insert(response.status)
            }
            #expect(statuses == [404, 429])
            // What it asks for rightly is served all the same.
            #expect(try await origin.send(.get(Self.path), over: version).status == 200)
        }
    }

    @Test func `a connection too many is told to come again, and others go on`() async throws {
        try await withOrigin {
            $0.connectionLimit = 4
            $0.connectionsPerAddress = 4
        } _: { origin in
            let kept = try await (0..<4).asyncMap { _ in try await HTTP1Connection(to: origin.address) }
            #expect(try await kept[0].open(Case.object).response().status == 201)
            for connection in kept { #expect(try await connection.open(.get(Self.path)).response().status == 200) }
            let responses = try await HTTP1Connection(to: origin.address).responsesUntilClosed()
            #expect(responses.map(\.status) == [503])
            #expect(responses.first?["Retry-After"] != nil)
            for connection in kept { #expect(try await connection.open(.get(Self.path)).response().status == 200) }
            for connection in kept { connection.close() }
            // Their ends are noticed in the origin's own time.
            var status = 0
            for _ in 0..<200 where status != 200 {
                status = (try? await origin.send(.get(Self.path)).status) ?? 0
            }
            #expect(status == 200)
        }
    }

    @Test func `readers who take all connections leave some to publishers`() async throws {
        try await withOrigin {
            $0.publishListen = SocketEndpoint(host: "127.0.0.1", port: 0)
            $0.connectionLimit = 16
            $0.connectionsPerAddress = 16
        } _: { origin in
            let publisher = try await HTTP1Connection(to: origin.publishAddress)
            #expect(try await publisher.open(Case.object).response().status == 201)
            var kept = [publisher]
            for _ in 0..<14 {
                let connection = try await HTTP1Connection(to: origin.address)
                #expect(try await connection.open(.get(Self.path)).response().status == 200)
                kept.append(connection)
            }
            let responses = try await HTTP1Connection(to: origin.address).responsesUntilClosed()
            #expect(responses.map(\.status) == [503])
            #expect(try await origin.send(.put("/live/s/b.ts", "x"), publishing: true).status == 201)
            for connection in kept { connection.close() }
        }
    }

    @Test func `requests too many at a time over HTTP/2 may come again, but for one of each connection`() async throws {
        try await withOrigin {
            $0.connectionLimit = 6
            $0.connectionsPerAddress = 6
        } _: { origin in
            let upload = try await origin.upload("/grows.ts", "one")
            let greedy = try await HTTP2Connection(to: origin.address)
            var readers: [Exchange] = []
            for _ in 0..<6 { readers.append(try await greedy.open(.get("/grows.ts"))) }
            for reader in readers { try await reader.body("one") }
            let response = try await greedy.open(.get("/grows.ts")).response()
            #expect(response.status == 503)
            #expect(response["Retry-After"] != nil)
            let modest = try await origin.open(.get("/grows.ts"), over: .http2)
            try await modest.body("one")
            upload.finish()
            for reader in readers + [modest] { #expect(try await reader.response().end == .whole) }
        }
    }

    /// Flags that bear on the fields for caches.
    static let policies = [
        Case(
            "for CDNs alone", .get(path), 200,
            fields: [
                "Cache-Control: public, max-age=31536000, immutable", "CDN-Cache-Control: max-age=7",
                "Surrogate-Control: max-age=8",
            ]
        ) {
            try $0.cache.cdn.set("segment=max-age=7")
            try $0.cache.surrogate.set("segment=max-age=8")
        },
        Case("for a status", .get("/none.ts"), 404, fields: ["CDN-Cache-Control: max-age=1"]) {
            try $0.cache.cdn.set("404=max-age=1")
        },
        Case(
            "what the uploader says", stored: [.put(path, "x", "Cache-Control: max-age=9")], .get(path), 200,
            fields: ["Cache-Control: max-age=9"]
        ) { try $0.cache.cacheControl.set("segment=upstream") },
        Case(
            "what the uploader says is not asked", stored: [.put(path, "x", "Cache-Control: max-age=9")], .get(path),
            200,
            fields: ["Cache-Control: public, max-age=31536000, immutable"]),
    ]

    @Test(arguments: policies, HTTPVersion.allCases)
    func `caches are told what the operator says`(row: Case, version: HTTPVersion) async throws {
        try await row.check(over: version)
    }
}
