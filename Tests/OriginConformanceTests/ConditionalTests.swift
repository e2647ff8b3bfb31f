import Testing

/// `RFC 9110 §13.2.2`, branch by branch.
@Suite(.timeLimit(.minutes(2))) struct ConditionalTests {
    private static let path = Case.path
    private static let past = "Sun, 06 Nov 1994 08:49:37 GMT"
    private static let future = "Fri, 31 Dec 2100 23:59:59 GMT"
    private static let same = [
        "ETag: {etag}", "Cache-Control: public, max-age=31536000, immutable", "!Content-Type", "!Content-Range",
    ]
    private static let playlistPath = "/live/s/a.m3u8"
    private static let playlists = [Request.put(playlistPath, playlist((0..<100).map { "\($0).ts" }))]

    private static func unchanged(_ name: String, _ fields: String...) -> Case {
        Case(name, Request("GET", path, fields), 304, fields: same, body: "")
    }

    private static func served(_ name: String, _ fields: String...) -> Case {
        Case(name, Request("GET", path, fields), 200, fields: ["ETag: {etag}"], body: "0123456789")
    }

    private static func failed(_ name: String, _ fields: String...) -> Case {
        Case(name, Request("GET", path, fields), 412)
    }

    static let noneMatch = [
        unchanged("the tag", "If-None-Match: {etag}"),
        unchanged("any tag", "If-None-Match: *"),
        unchanged("the tag, weak", "If-None-Match: W/{etag}"),
        unchanged("the tag in a list", #"If-None-Match: "x", W/"y" , {etag}"#),
        unchanged("the tag after empty elements", "If-None-Match: , ,{etag}"),
        unchanged("the tag after one with a comma in it", #"If-None-Match: "x,y", {etag}"#),
        unchanged("the tag in a second field", #"If-None-Match: "x""#, "If-None-Match: {etag}"),
        Case("with a query", .get(path + "?token=x", "If-None-Match: {etag}"), 304, fields: same, body: ""),
        Case("HEAD", .head(path, "If-None-Match: {etag}"), 304, fields: same, body: ""),
        Case("a missing object", .get("/none.ts", "If-None-Match: *"), 404),
        served("another tag", #"If-None-Match: "x""#),
        served("no quotes", "If-None-Match: x"),
        served("an end without quote", #"If-None-Match: "x"#),
        served("nothing", "If-None-Match: "),
    ]

    static let modifiedSince = [
        unchanged("the time", "If-Modified-Since: {modified}"),
        unchanged("later", "If-Modified-Since: \(future)"),
        unchanged("later, as RFC 850 writes it", "If-Modified-Since: Thursday, 31-Dec-37 23:59:59 GMT"),
        unchanged("later, as asctime writes it", "If-Modified-Since: Fri Dec 31 23:59:59 2100"),
        Case("HEAD", .head(path, "If-Modified-Since: {modified}"), 304, fields: same, body: ""),
        served("earlier", "If-Modified-Since: \(past)"),
        served("earlier, as RFC 850 writes it", "If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT"),
        served("earlier, as asctime writes it", "If-Modified-Since: Sun Nov  6 08:49:37 1994"),
        served("no date", "If-Modified-Since: yesterday"),
        served("no such day", "If-Modified-Since: Fri, 32 Dec 2100 23:59:59 GMT"),
        served("If-None-Match comes first", #"If-None-Match: "x""#, "If-Modified-Since: \(future)"),
        unchanged("If-None-Match comes first, too", "If-None-Match: {etag}", "If-Modified-Since: \(past)"),
    ]

    static let match = [
        served("the tag", "If-Match: {etag}"),
        served("any tag", "If-Match: *"),
        served("the tag in a list", #"If-Match: "x", {etag}"#),
        failed("another tag", #"If-Match: "x""#),
        failed("the tag, weak: the comparison is strong", "If-Match: W/{etag}"),
        Case("HEAD", .head(path, #"If-Match: "x""#), 412, body: ""),
        Case("a missing object", .get("/none.ts", "If-Match: *"), 404),
        served("the time", "If-Unmodified-Since: {modified}"),
        served("later", "If-Unmodified-Since: \(future)"),
        failed("earlier", "If-Unmodified-Since: \(past)"),
        served("no date", "If-Unmodified-Since: yesterday"),
        served("If-Match comes first", "If-Match: {etag}", "If-Unmodified-Since: \(past)"),
        failed("If-Match fails before If-None-Match", #"If-Match: "x""#, "If-None-Match: {etag}"),
        failed(
            "If-Unmodified-Since fails before If-None-Match", "If-Unmodified-Since: \(past)", "If-None-Match: {etag}"),
        unchanged("both hold, then If-None-Match", "If-Match: {etag}", "If-None-Match: {etag}"),
        unchanged("both hold, then If-Modified-Since", "If-Match: *", "If-Modified-Since: \(future)"),
    ]

    static let withRange = [
        unchanged("unchanged before range", "If-None-Match: {etag}", "Range: bytes=0-1"),
        failed("failed before range", #"If-Match: "x""#, "Range: bytes=0-1"),
        Case("the range of what matches", .get(path, "If-Match: {etag}", "Range: bytes=0-1"), 206, body: "01"),
        Case("If-Range: the tag", .get(path, "Range: bytes=0-1", "If-Range: {etag}"), 206, body: "01"),
        Case("If-Range: the time", .get(path, "Range: bytes=0-1", "If-Range: {modified}"), 206, body: "01"),
        served("If-Range: another tag", "Range: bytes=0-1", #"If-Range: "x""#),
        served("If-Range: the tag, weak", "Range: bytes=0-1", "If-Range: W/{etag}"),
        served("If-Range: another time", "Range: bytes=0-1", "If-Range: \(past)"),
        served("If-Range: a later time is not the time", "Range: bytes=0-1", "If-Range: \(future)"),
        served("If-Range: nonsense", "Range: bytes=0-1", "If-Range: x"),
        served("If-Range without range", "If-Range: {etag}"),
        served("If-Range fails before the range is looked at", "Range: bytes=100-", #"If-Range: "x""#),
        Case("If-Range holds, and the range is none", .get(path, "Range: bytes=100-", "If-Range: {etag}"), 416),
    ]

    static let ofPlaylists = [
        Case(
            "the tag", stored: playlists, .get(playlistPath, "If-None-Match: {etag}"), 304,
            fields: ["ETag: {etag}", "Cache-Control", "Vary ~ .*Accept-Encoding.*"], body: ""),
        Case(
            "the tag of the form that is asked for", stored: playlists,
            .get(playlistPath, "If-None-Match: {etag gzip}", "Accept-Encoding: gzip"), 304,
            fields: ["ETag: {etag gzip}", "Vary ~ .*Accept-Encoding.*"], body: ""),
        Case("the tag of the other form", stored: playlists, .get(playlistPath, "If-None-Match: {etag gzip}"), 200),
    ]

    /// `RFC 9110 §13.1.1`: a method is not performed where its condition fails.
    static let writing = [
        Case("PUT only if new", .put(path, "new", "If-None-Match: *"), 412),
        Case("PUT only over another version", .put(path, "new", #"If-Match: "x""#), 412),
        Case("PUT over this version", .put(path, "new", "If-Match: {etag}"), 204),
        Case("PUT only if new, and it is", .put("/live/s/new.ts", "new", "If-None-Match: *"), 201),
        Case("DELETE of another version", .delete(path, #"If-Match: "x""#), 412),
    ]

    @Test(arguments: noneMatch + modifiedSince, HTTPVersion.allCases)
    func `what a client has already is not sent again`(row: Case, version: HTTPVersion) async throws {
        try await row.check(over: version)
    }

    @Test(arguments: match + withRange, HTTPVersion.allCases)
    func `what a client asks for alone is sent alone`(row: Case, version: HTTPVersion) async throws {
        try await row.check(over: version)
    }

    @Test(arguments: ofPlaylists, HTTPVersion.allCases)
    func `each form of a playlist has its own tag`(row: Case, version: HTTPVersion) async throws {
        try await row.check(over: version)
    }

    @Test(arguments: [path, playlistPath], HTTPVersion.allCases)
    func `a new version has another tag, and that of the old one counts no more`(
        path: String, version: HTTPVersion
    ) async throws {
        try await withOrigin { origin in
            let versions = [100, 101].map { count in playlist((0..<count).map { "\($0).ts" }) }
            for coding in ["identity", "gzip"] {
                var former: String?
                for body in versions {
                    try await origin.send(.put(path, body), over: version)
                    let stored = try await origin.send(.get(path, "Accept-Encoding: \(coding)"), over: version)
                    let tag = try #require(stored["ETag"])
                    #expect(tag != former)
                    func answer(to condition: String) async throws -> Response {
                        try await origin.send(.get(path, "Accept-Encoding: \(coding)", condition), over: version)
                    }
                    #expect(try await answer(to: "If-None-Match: \(tag)").status == 304)
                    if let former {
                        let changed = try await answer(to: "If-None-Match: \(former)")
                        #expect(changed.status == 200 && changed["ETag"] == tag && changed.bytes == stored.bytes)
                        #expect(try await answer(to: "If-Match: \(former)").status == 412)
                    }
                    former = tag
                }
            }
        }
    }

    @Test(arguments: HTTPVersion.allCases)
    func `a version that grows has no tag, and is there`(version: HTTPVersion) async throws {
        try await withOrigin { origin in
            let upload = try await origin.upload(Self.path, "one", over: version)
            for request in [
                Request.get(Self.path, #"If-Match: "x""#), .head(Self.path, #"If-Match: "x""#),
                .put(Self.path, "other", "If-None-Match: *"), .put(Self.path, "other", #"If-Match: "x""#),
            ] {
                #expect(try await origin.send(request, over: version).status == 412, "\(request)")
            }
            for condition in ["If-Match: *", #"If-None-Match: "x""#, "If-Unmodified-Since: \(Self.past)"] {
                let reader = try await origin.open(.get(Self.path, condition), over: version)
                try await reader.body("one")
                reader.abort()
            }
            upload.finish()
            #expect(try await upload.response().status == 201)
        }
    }

    @Test(arguments: writing, HTTPVersion.allCases)
    func `a write whose condition fails is not done`(row: Case, version: HTTPVersion) async throws {
        try await row.check(over: version)
    }
}
