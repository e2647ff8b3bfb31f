import NIOCore
import OriginServer
import OriginStore
import Testing

/// Objects that end before they are whole, and readers that do.
@Suite(.timeLimit(.minutes(2))) struct GivenUpTests {
    private static let path = Case.path
    private static let list = Request.put("/live/s/a.m3u8", playlist([], announcing: ["a.ts", "b.ts"]))

    @Test(arguments: HTTPVersion.allCases)
    func `removing a growing object cuts its readers, and its uploader is told`(version: HTTPVersion) async throws {
        try await withOrigin { origin in
            let upload = try await origin.upload(Self.path, "one", over: version)
            let reader = try await origin.open(.get(Self.path), over: version)
            try await reader.body("one")
            #expect(try await origin.send(.delete(Self.path), over: version).status == 200)
            #expect(try await reader.response().end != .whole)
            #expect(try await origin.send(.delete(Self.path), over: version).status == 404)
            upload.send("two")
            #expect(try await upload.response().status == 412)
        }
    }

    @Test(arguments: HTTPVersion.allCases)
    func `removing a playlist cuts the readers of what it announces`(version: HTTPVersion) async throws {
        try await withOrigin { origin in
            try await origin.send(Self.list, over: version)
            let reader = try await origin.open(.get("/live/s/b.ts"), over: version)
            #expect(try await reader.head().status == 200)
            #expect(try await origin.send(.delete("/live/s/a.m3u8"), over: version).status == 200)
            let response = try await reader.response()
            #expect(response.end != .whole && response.body == "")
        }
    }

    @Test func `a body whose framing breaks is refused, and cuts its readers`() async throws {
        try await withOrigin { origin in
            let connection = try await HTTP1Connection(to: origin.address)
            let upload = connection.exchange(
                "PUT \(Self.path) HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n")
            try await upload.interim(100)
            connection.send("3\r\none\r\n")
            let reader = try await origin.open(.get(Self.path), over: .http1)
            try await reader.body("one")
            connection.send("zz\r\n")
            #expect(try await upload.response().status == 400)
            #expect(try await reader.response().end != .whole)
        }
    }

    @Test(arguments: HTTPVersion.allCases)
    func `readers who leave disturb nobody`(version: HTTPVersion) async throws {
        try await withOrigin { origin in
            let upload = try await origin.upload(Self.path, "begin", over: version)
            var readers = try await (0..<60).asyncMap { _ in try await origin.open(.get(Self.path), over: version) }
            for number in 0..<50 {
                upload.send("piece \(number);")
                if number % 5 == 0 { readers.remove(at: number % readers.count).abort() }
            }
            upload.finish()
            let expected = "begin" + (0..<50).map { "piece \($0);" }.joined()
            for reader in readers {
                let response = try await reader.response()
                #expect(response.end == .whole)
                #expect(response.body == expected)
            }
        }
    }
}
