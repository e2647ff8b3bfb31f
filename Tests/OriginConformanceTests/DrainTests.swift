import NIOCore
import OriginServer
import OriginStore
import Testing

/// The graceful end: nothing new is taken, and what is under way comes to its end.
@Suite(.timeLimit(.minutes(2))) struct DrainTests {
    private static let path = Case.path

    @Test(arguments: HTTPVersion.allCases)
    func `what grows may end, and then the connections do`(version: HTTPVersion) async throws {
        try await withOrigin { origin in
            let upload = try await origin.upload(Self.path, "one", over: version)
            let reader = try await origin.open(.get(Self.path), over: version)
            try await reader.body("one")
            let idle = try await HTTP1Connection(to: origin.address)
            #expect(try await idle.open(.get("/none")).response().status == 404)
            await origin.shutDown()
            try await idle.closed()
            await #expect(throws: (any Error).self) { try await origin.send(.get("/none")) }
            upload.send("two")
            try await reader.body("onetwo")
            upload.finish()
            #expect(try await upload.response().status == 201)
            let response = try await reader.response()
            #expect(response.end == .whole)
            #expect(response.body == "onetwo")
        }
    }

    @Test func `a peer of HTTP 2 is told to go away, and its open streams are served`() async throws {
        try await withOrigin { origin in
            let upload = try await origin.upload(Self.path, "one")
            let connection = try await HTTP2Connection(to: origin.address)
            let reader = try await connection.open(.get(Self.path))
            try await reader.body("one")
            await origin.shutDown()
            let code = try await connection.goAway.wait(for: "GOAWAY") { $0 }
            #expect(code == 0)
            upload.send("two")
            upload.finish()
            let response = try await reader.response()
            #expect(response.end == .whole)
            #expect(response.body == "onetwo")
            try await connection.closed()
        }
    }

    @Test func `a response of HTTP 1 that ends while the origin does says that the connection ends`() async throws {
        try await withOrigin { origin in
            let upload = try await origin.upload(Self.path, "one")
            let connection = try await HTTP1Connection(to: origin.address)
            let reader = connection.open(.get(Self.path))
            try await reader.body("one")
            await origin.shutDown()
            upload.finish()
            #expect(try await reader.response().end == .whole)
            try await connection.closed()
        }
    }

    @Test(arguments: HTTPVersion.allCases)
    func `what does not end is cut at the limit`(version: HTTPVersion) async throws {
        try await withOrigin {
            $0.drainLimit = .milliseconds(300)
        } _: { origin in
            _ = try await origin.upload(Self.path, "one", over: version)
            let reader = try await origin.open(.get(Self.path), over: version)
            try await reader.body("one")
            await origin.shutDown()
            let response = try await reader.response()
            #expect(response.end != .whole)
            #expect(response.body == "one")
        }
    }

    @Test(arguments: HTTPVersion.allCases)
    func `whoever only waits is not waited for`(version: HTTPVersion) async throws {
        try await withOrigin {
            $0.holdMissing = .seconds(60)
        } _: { origin in
            try await origin.send(.put("/live/s/a.m3u8", playlist([], announcing: ["a.ts"])))
            let announced = try await origin.open(.get("/live/s/a.ts"), over: version)
            _ = try await announced.head()
            let missing = try await origin.open(.get("/live/s/none.ts"), over: version)
            try await origin.send(.options("*"), over: version)
            await origin.shutDown()
            #expect(try await announced.response().end != .whole)
            let response = try await missing.response()
            #expect(response.status != 200)
        }
    }
}
