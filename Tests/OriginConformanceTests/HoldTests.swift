import NIOCore
import OriginServer
import OriginStore
import Testing

/// Requests that come before what they ask for.
@Suite(.timeLimit(.minutes(2))) struct HoldTests {
    private static let list = Request.put("/live/s/a.m3u8", playlist([], announcing: ["a.ts", "b.ts"]))

    @Test(arguments: HTTPVersion.allCases)
    func `an announced object's head comes at once and its body as it is produced`(version: HTTPVersion) async throws {
        try await withOrigin { origin in
            #expect(try await origin.send(Self.list, over: version).status == 201)
            let reader = try await origin.open(.get("/live/s/a.ts"), over: version)
            let head = try await reader.head()
            #expect(head.status == 200)
            #expect(head["Content-Type"] == "video/mp2t")
            #expect(head["Content-Length"] == nil && head["ETag"] == nil)
            #expect(head.body == "" && head.end == nil)
            #expect(try await origin.send(.head("/live/s/a.ts"), over: version).status == 200)
            let upload = try await origin.upload("/live/s/a.ts", "one", over: version)
            try await reader.body("one")
            upload.finish()
            #expect(try await reader.response().end == .whole)
        }
    }

    @Test(arguments: HTTPVersion.allCases)
    func `an announced object that never begins is cut`(version: HTTPVersion) async throws {
        try await withOrigin {
            $0.store.holdLimit = .milliseconds(200)
        } _: { origin in
            try await origin.send(Self.list, over: version)
            let response = try await origin.send(.get("/live/s/a.ts"), over: version)
            #expect(response.status == 200)
            guard case .cut(let code) = response.end else {
                Issue.record("a clean end it did not earn")
                return
            }
            if version == .http2 { #expect(code != nil && code != 0, "RST_STREAM") }
        }
    }

    @Test(arguments: HTTPVersion.allCases)
    func `a part of an announced object that never begins is answered with 503`(version: HTTPVersion) async throws {
        try await withOrigin {
            $0.store.holdLimit = .milliseconds(200)
        } _: { origin in
            try await origin.send(Self.list, over: version)
            let request = Request.get("/live/s/a.ts", "Range: bytes=1-2")
            let response = try await origin.send(request, over: version)
            #expect(response.status == 503)
            #expect(response["Retry-After"] == "1")
            #expect(response["Cache-Control"] == "no-store")
            #expect(response.end == .whole)
            Invariants.check(response, to: request, over: version)
        }
    }

    @Test(arguments: HTTPVersion.allCases)
    func `an announced object that the playlist takes back is cut`(version: HTTPVersion) async throws {
        try await withOrigin { origin in
            try await origin.send(Self.list, over: version)
            let reader = try await origin.open(.get("/live/s/a.ts"), over: version)
            _ = try await reader.head()
            try await origin.send(.put("/live/s/a.m3u8", playlist([], announcing: ["b.ts"])), over: version)
            #expect(try await reader.response().end != .whole)
            #expect(try await origin.send(.get("/live/s/a.ts"), over: version).status == 404)
            #expect(try await origin.send(.head("/live/s/b.ts"), over: version).status == 200)
        }
    }

    @Test(arguments: HTTPVersion.allCases)
    func `a part of an announced object waits for it`(version: HTTPVersion) async throws {
        try await withOrigin { origin in
            try await origin.send(Self.list, over: version)
            let part = try await origin.open(.get("/live/s/a.ts", "Range: bytes=1-2"), over: version)
            let endless = try await origin.open(.get("/live/s/a.ts", "Range: bytes=1-9007199254740991"), over: version)
            let upload = try await origin.upload("/live/s/a.ts", "0123", over: version)
            let response = try await part.response()
            #expect(response.status == 206)
            #expect(response["Content-Range"] == "bytes 1-2/*")
            #expect(response.body == "12")
            try await endless.body("123")
            upload.finish()
            #expect(try await endless.response().end == .whole)
        }
    }

    // MARK: What nobody has announced

    @Test(arguments: HTTPVersion.allCases)
    func `a missing object is held for the time, and how long is told`(version: HTTPVersion) async throws {
        try await withOrigin {
            $0.holdMissing = .milliseconds(300)
        } _: { origin in
            let request = Request.get("/live/s/none.ts")
            let response = try await origin.send(request, over: version)
            #expect(response.status == 404)
            let seconds = try #require(response["Headwater-Held"])
            #expect(try Regex(#"\d+\.\d{3}"#).wholeMatch(in: seconds) != nil)
            #expect(try #require(Double(seconds)) >= 0.3)
            Invariants.check(response, to: request, over: version)
        }
    }

    struct Arrival: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let asked: String
        let stored: Request
        let status: Int
    }

    static let arrivals = [
        Arrival(testDescription: "an upload", asked: "/live/s/a.ts", stored: .put("/live/s/a.ts", "x"), status: 200),
        Arrival(testDescription: "a playlist", asked: "/live/s/a.m3u8", stored: list, status: 200),
        Arrival(testDescription: "an announcement", asked: "/live/s/a.ts", stored: list, status: 200),
    ]

    @Test(arguments: arrivals, HTTPVersion.allCases)
    func `a missing object is served when it arrives`(arrival: Arrival, version: HTTPVersion) async throws {
        try await withOrigin {
            $0.holdMissing = .seconds(30)
        } _: { origin in
            let readers = try await (0..<3).asyncMap { _ in try await origin.open(.get(arrival.asked), over: version) }
            // Each is known to the origin once something asked after it is answered on every loop; arrival does not depend on it.
            for _ in 0..<4 { try await origin.send(.options("*"), over: version) }
            #expect(try await origin.send(arrival.stored, over: version).status == 201)
            for reader in readers {
                let head = try await reader.head()
                #expect(head.status == arrival.status)
            }
        }
    }

    @Test(arguments: HTTPVersion.allCases)
    func `a held reader follows an upload from its first byte`(version: HTTPVersion) async throws {
        try await withOrigin {
            $0.holdMissing = .seconds(30)
        } _: { origin in
            let reader = try await origin.open(.get("/live/s/a.ts"), over: version)
            let upload = try await origin.upload("/live/s/a.ts", "one", over: version)
            try await reader.body("one")
            upload.send("two")
            upload.finish()
            let response = try await reader.response()
            #expect(response.end == .whole)
            #expect(response.body == "onetwo")
        }
    }
}
