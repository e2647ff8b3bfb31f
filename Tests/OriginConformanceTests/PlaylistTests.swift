import NIOCore
import Testing

@Suite(.timeLimit(.minutes(2))) struct PlaylistTests {
    private static let path = "/live/s/a.m3u8"
    private static let text = playlist((0..<200).map { "segment\($0).ts" })
    private static let stored = [Request.put(path, text)]
    private static let multivariant = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n"
    private static let slow = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n0.ts\n"

    private static func plain(_ name: String, _ fields: String...) -> Case {
        Case(
            name, stored: stored, Request("GET", path, fields), 200,
            fields: ["!Content-Encoding", "Vary ~ .*Accept-Encoding.*", "Content-Length: \(text.utf8.count)"],
            body: text)
    }

    private static func served(_ name: String, _ path: String, _ body: String, _ type: String, _ cache: String) -> Case
    {
        Case(
            name, stored: [.put(path, body)], .get(path), 200,
            fields: [
                "Content-Type: \(type)", "Cache-Control: \(cache)", "ETag", "Last-Modified",
                "Vary ~ .*Accept-Encoding.*",
            ],
            body: body)
    }

    static let rows = [
        served(
            "media", "/a.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n", "application/vnd.apple.mpegurl",
            "public, max-age=1, stale-if-error=1"),
        served("slow media", "/a.m3u8", slow, "application/vnd.apple.mpegurl", "public, max-age=3, stale-if-error=6"),
        served("multivariant", "/a.m3u8", multivariant, "application/vnd.apple.mpegurl", "public, max-age=1"),
        served("DASH", "/a.mpd", "<MPD/>", "application/dash+xml", "public, max-age=1, stale-if-error=1"),
        plain("no Accept-Encoding"),
        plain("identity", "Accept-Encoding: identity"),
        plain("nothing", "Accept-Encoding: "),
        plain("gzip refused", "Accept-Encoding: gzip;q=0"),
        plain("gzip refused among all", "Accept-Encoding: gzip;q=0.0, *"),
        plain("others", "Accept-Encoding: br, deflate, zstd"),
        plain("nothing but gzip's letters", "Accept-Encoding: xgzip, gzipx"),
        plain("all refused but identity", "Accept-Encoding: *;q=0, identity"),
        Case("HEAD", stored: stored, .head(path), 200, fields: ["Content-Length: \(text.utf8.count)"], body: ""),
        Case(
            "HEAD, gzip", stored: stored, .head(path, "Accept-Encoding: gzip"), 200,
            fields: ["Content-Encoding: gzip", "Content-Length", "ETag: {etag gzip}"], body: ""),
        Case("not there", .get("/live/s/none.m3u8"), 404),
        Case("the newer version", stored: stored + [.put(path, slow)], .get(path), 200, body: slow),
        Case("what is no playlist", stored: stored, .put(path, "text"), 400),
        Case("a playlist with a broken line", stored: stored, .put(path, "#EXTM3U\n#EXTINF:x,\na.ts\n"), 400),
        Case("an empty playlist", stored: stored, .put(path, ""), 400),
        Case("what is no MPD", .put("/a.mpd", "x"), 400),
    ]

    static let taken = [
        "gzip", "GZIP", "gzip, deflate, br", "deflate,gzip;q=0.5", "*", "gzip ; q=1.0", "br;q=1, *;q=0.1",
        "identity;q=0, gzip", "gzip;q=0.001",
    ]

    @Test(arguments: rows, HTTPVersion.allCases)
    func `playlists are served whole, in the form that is asked for`(row: Case, version: HTTPVersion) async throws {
        try await row.check(over: version)
    }

    @Test(arguments: taken, HTTPVersion.allCases)
    func `a playlist is compressed for whoever takes it`(coding: String, version: HTTPVersion) async throws {
        try await withOrigin { origin in
            try await origin.send(Self.stored[0], over: version)
            let plain = try await origin.send(.get(Self.path), over: version)
            let request = Request.get(Self.path, "Accept-Encoding: \(coding)")
            let response = try await origin.send(request, over: version)
            #expect(response.status == 200)
            #expect(response["Content-Encoding"] == "gzip")
            #expect(response["Vary"]?.contains("Accept-Encoding") == true)
            #expect(response["Content-Type"] == plain["Content-Type"])
            #expect(response["Cache-Control"] == plain["Cache-Control"])
            #expect(response["ETag"] != nil && response["ETag"] != plain["ETag"])
            #expect(response.bytes.readableBytes < plain.bytes.readableBytes / 2)
            Invariants.check(response, to: request, over: version)
            #expect(try await Tool.run("gzip", ["-dc"], input: response.bytes) == Self.text)
            let again = try await origin.send(request, over: version)
            #expect(again["ETag"] == response["ETag"] && again.bytes == response.bytes)
        }
    }

    @Test(arguments: HTTPVersion.allCases)
    func `a reader sees one version or the other, never a half`(version: HTTPVersion) async throws {
        try await withOrigin { origin in
            let versions = (0..<2).map { number in playlist((0..<500).map { "\(number)-\($0).ts" }) }
            try await origin.send(.put(Self.path, versions[0]), over: version)
            let upload = try await origin.open(.stream(Self.path, []), over: version, isBodyOpen: true)
            upload.send(String(versions[1].prefix(3_000)))
            for _ in 0..<5 { #expect(try await origin.send(.get(Self.path), over: version).body == versions[0]) }
            upload.send(String(versions[1].dropFirst(3_000)))
            upload.finish()
            #expect(try await upload.response().status == 204)
            #expect(try await origin.send(.get(Self.path), over: version).body == versions[1])
            let broken = try await origin.open(.stream(Self.path, []), over: version, isBodyOpen: true)
            broken.send("#EXTM3U\n")
            broken.abort()
            let refused = try await origin.send(.put(Self.path, "nonsense"), over: version)
            #expect(refused.status == 400)
            #expect(try await origin.send(.get(Self.path), over: version).body == versions[1])
        }
    }
}
