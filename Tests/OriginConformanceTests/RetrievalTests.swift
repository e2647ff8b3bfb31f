import Testing

@Suite(.timeLimit(.minutes(2))) struct RetrievalTests {
    private static let path = Case.path
    private static let fields = [
        "Content-Length: 10", "Content-Type: video/mp2t", "ETag", "Last-Modified", "Accept-Ranges: bytes",
        "Cache-Control: public, max-age=31536000, immutable", "Access-Control-Allow-Origin: *", "!Vary",
        "!CDN-Cache-Control", "!Surrogate-Control", "!Transfer-Encoding", "!Content-Encoding", "!Content-Range",
        "!Headwater-Held",
    ]

    static let complete = [
        Case("GET", .get(path), 200, fields: fields, body: "0123456789"),
        Case("HEAD", .head(path), 200, fields: fields, body: ""),
        Case("a query is no part of the key", .get(path + "?token=x&_HLS_msn=1"), 200, body: "0123456789"),
        Case("an empty query", .get(path + "?"), 200, body: "0123456789"),
        Case("another spelling of the path", .get("//live//s/%61.ts"), 200, body: "0123456789"),
        Case("the path is case-sensitive", .get("/live/s/A.ts"), 404),
        Case("the body of a GET is not looked at", Request("GET", path, body: ["ignored"]), 200, body: "0123456789"),
        Case("media is not compressed", .get(path, "Accept-Encoding: gzip"), 200, fields: fields, body: "0123456789"),
        Case("what the client would rather have", .get(path, "Accept: text/html"), 200, body: "0123456789"),
        Case("a cookie", .get(path, "Cookie: a=b; c=d"), 200, fields: ["!Vary"]),
        Case(
            "an object without a byte", stored: [.put("/e.ts", "")], .get("/e.ts"), 200,
            fields: ["Content-Length: 0", "ETag"], body: ""),
        Case("a missing object", .get("/live/s/none.ts"), 404, fields: ["Content-Type", "!ETag", "!Headwater-Held"]),
        Case(
            "HEAD of a missing object", .head("/live/s/none.ts"), 404, fields: ["Content-Length ~ [1-9][0-9]*"],
            body: ""),
        Case("a folder", .get("/live/s/"), 404),
        Case("the replaced object", stored: [Case.object, .put(path, "new")], .get(path), 200, body: "new"),
    ]

    static let types: [Case] = [
        ("/a.mp4", "video/mp4"), ("/a.m4s", "video/mp4"), ("/a.init", "video/mp4"), ("/a.m4a", "audio/mp4"),
        ("/a.aac", "audio/aac"), ("/a.vtt", "text/vtt"), ("/a.unknown", "application/octet-stream"),
        ("/a", "application/octet-stream"),
    ].map { row in
        Case("the type of \(row.0)", stored: [.put(row.0, "x")], .get(row.0), 200, fields: ["Content-Type: \(row.1)"])
    }

    static let paths: [Case] = [
        "/", "//", "/live/../a.ts", "/live/./a.ts", "/live/%2e%2e/a.ts", "/live/%2E%2E/a.ts", "/live%2fa.ts",
        "/a%00.ts", "/a%0d%0a.ts", "/a%5cb.ts", "/a%zz.ts", "/a%", "/a%2", "/a%ff.ts", "/a%7f.ts",
        "/" + Array(repeating: "a", count: 40).joined(separator: "/"),
    ].map { path in
        Case("the path \(path)", stored: [], .get(path), path.utf8.count > 70 ? 414 : 400)
    }

    @Test(arguments: complete + types, HTTPVersion.allCases)
    func `objects are served whole`(row: Case, version: HTTPVersion) async throws {
        try await row.check(over: version)
    }

    @Test(arguments: paths, HTTPVersion.allCases)
    func `a path that is none is refused`(row: Case, version: HTTPVersion) async throws {
        try await row.check(over: version)
    }

    @Test(arguments: HTTPVersion.allCases)
    func `a large object comes whole to a reader that pauses`(version: HTTPVersion) async throws {
        try await withOrigin { origin in
            let body = String(repeating: "0123456789abcdef", count: 500_000)
            #expect(try await origin.send(.put("/a.ts", body), over: version).status == 201)
            let reader = try await origin.open(.get("/a.ts"), over: version, isPaused: true)
            // Another's exchanges go by while this one does not read.
            for _ in 0..<10 { #expect(try await origin.send(.head("/a.ts"), over: version).status == 200) }
            reader.startReading()
            let response = try await reader.response()
            #expect(response.end == .whole)
            let isSame = response.body == body
            #expect(isSame)
        }
    }
}
