import NIOCore
import OriginServer
import OriginStore
import Testing

@Suite(.timeLimit(.minutes(2))) struct UploadTests {
    private static let path = "/live/s/new.ts"

    static let stored = [
        Case("a new object", .put(path, "x"), 201),
        Case("by POST", .post(path, "x"), 201),
        Case("a replaced object", .put(Case.path, "x"), 204),
        Case("replaced by POST", .post(Case.path, "x"), 204),
        Case("an object without a byte", .put(path, ""), 201),
        Case("of unknown length", .stream(path, ["one", "two"]), 201),
        Case("of unknown length, without a byte", .stream(path, []), 201),
        Case("with trailers", .stream(path, ["one"], trailers: ["X-Checksum: 1"]), 201),
        Case("in a folder that nothing is in", .put("/a/b/c/d/e/f.ts", "x"), 201),
        Case("without content coding", .put(path, "x", "Content-Encoding: identity"), 201),
        Case(
            "with what ffmpeg sends",
            .stream(path, ["x"], "User-Agent: Lavf/59.27.100", "Accept: */*", "Icy-MetaData: 1"),
            201),
        Case("with an epoch", .put(path, "x", "Headwater-Epoch: 1"), 201),
        Case("a playlist", .put("/live/s/a.m3u8", playlist(["0.ts"])), 201),
        Case("a removed object", .delete(Case.path), 200),
        Case("a removed playlist", stored: [.put("/a.m3u8", playlist([]))], .delete("/a.m3u8"), 200),
        Case("the removal of what is not there", .delete("/live/s/none.ts"), 404),
        Case("the removal with a query", .delete(Case.path + "?x=1"), 200),
    ]

    static let refused = [
        Case("compressed", .put(path, "x", "Content-Encoding: gzip"), 415),
        Case("in part", .put(path, "x", "Content-Range: bytes 0-0/2"), 400),
        Case("an epoch that is no number", .put(path, "x", "Headwater-Epoch: new"), 400),
        Case("an epoch from far in the future", .put(path, "x", "Headwater-Epoch: 18446744073709551615"), 400),
        Case(
            "an older epoch", stored: [.put("/live/s/b.ts", "x", "Headwater-Epoch: 2")],
            .put(path, "x", "Headwater-Epoch: 1"), 409),
        Case(
            "the removal by an older epoch", stored: [.put("/live/s/b.ts", "x", "Headwater-Epoch: 2")],
            .delete("/live/s/b.ts", "Headwater-Epoch: 1"), 409),
        Case("larger than taken", .put(path, "01234567890"), 413) { $0.store.objectLimitBytes = 10 },
        Case("larger than taken, of unknown length", .stream(path, ["0123456789", "0"]), 413) {
            $0.store.objectLimitBytes = 10
        },
        Case("a playlist larger than taken", .put("/a.m3u8", playlist(["0.ts"])), 413) {
            $0.store.playlistLimitBytes = 10
        },
        Case("more than memory has", stored: [], .put(path, String(repeating: "x", count: 300_000)), 507) {
            $0.store.memoryLimitBytes = 100_000
        },
        Case(
            "more than a stream may have of memory", stored: [],
            .put(path, String(repeating: "x", count: 300_000)), 507
        ) { $0.store.streamMemoryLimitBytes = 100_000 },
        Case(
            "one object more than a stream may have",
            stored: [.put("/live/s/0.m3u8", playlist(["0.ts"])), .put("/live/s/0.ts", "x")],
            .put(path, "x"), 507
        ) { $0.store.streamObjectLimit = 2 },
        Case("a patch", Request("PATCH", Case.path, body: ["x"]), 405),
        Case("a method of WebDAV", Request("MKCOL", "/live/folder"), 405, 501),
        Case("to a path that is none", .put("/live/../a.ts", "x"), 400),
        Case("the removal of the root", .delete("/"), 400),
    ]

    static let types: [(path: String, sent: String?, served: String)] = [
        ("/a.ts", nil, "video/mp2t"), ("/a.ts", "application/octet-stream", "video/mp2t"),
        ("/a.m4s", "application/x-www-form-urlencoded", "video/mp4"), ("/a.ts", "video/MP2T", "video/MP2T"),
        ("/a.bin", "text/x-odd; charset=utf-8", "text/x-odd; charset=utf-8"),
        ("/a.ts", String(repeating: "a", count: 200), "video/mp2t"), ("/a.bin", nil, "application/octet-stream"),
    ]

    @Test(arguments: stored + refused, HTTPVersion.allCases)
    func `an upload is answered with what became of it`(row: Case, version: HTTPVersion) async throws {
        try await row.check(over: version)
    }

    @Test(arguments: refused.filter { $0.request.body != nil }, HTTPVersion.allCases)
    func `what is refused changes nothing`(row: Case, version: HTTPVersion) async throws {
        try await withOrigin(row.configure) { origin in
            for upload in row.stored { try await origin.send(upload, over: version) }
            let before = try await origin.send(.get(row.request.path), over: version)
            try await origin.send(row.request, over: version)
            let after = try await origin.send(.get(row.request.path), over: version)
            // What of an upload came before it was refused is cut, but never whole.
            #expect(after.end != .whole || (after.status == before.status && after.body == before.body))
        }
    }

    @Test(arguments: types.indices, HTTPVersion.allCases)
    func `the type is what the uploader says, if it says anything`(index: Int, version: HTTPVersion) async throws {
        let row = Self.types[index]
        try await withOrigin { origin async throws in
            let upload = Request("PUT", row.path, row.sent.map { ["Content-Type: \($0)"] } ?? [], body: ["x"])
            #expect(try await origin.send(upload, over: version).status == 201)
            #expect(try await origin.send(.get(row.path), over: version)["Content-Type"] == row.served)
        }
    }

    @Test(arguments: HTTPVersion.allCases)
    func `large uploads are stored to the byte, their length told or not`(version: HTTPVersion) async throws {
        try await withOrigin { origin in
            let body = String(repeating: "0123456789abcdef", count: 300_000)
            let pieces = stride(from: 0, to: body.utf8.count, by: 100_000).map {
                String(body.utf8.dropFirst($0).prefix(100_000)) ?? ""
            }
            for (path, request) in [("/a.ts", Request.put("/a.ts", body)), ("/b.ts", .stream("/b.ts", pieces))] {
                #expect(try await origin.send(request, over: version).status == 201)
                let stored = try await origin.send(.get(path), over: version).body
                let isSame = stored == body
                #expect(isSame)
            }
        }
    }

    @Test(arguments: HTTPVersion.allCases, ["100-continue", "100-Continue"])
    func `an uploader that asks first is answered at once`(version: HTTPVersion, expectation: String) async throws {
        try await withOrigin { origin in
            let request = Request.stream(Self.path, [], "Expect: \(expectation)")
            let upload = try await origin.open(request, over: version, isBodyOpen: true)
            try await upload.interim(100)
            upload.send("x")
            upload.finish()
            #expect(try await upload.response().status == 201)
        }
    }

    static let unasked = [
        Request.stream("/live/../a.ts", [], "Expect: 100-continue"),
        .stream("/live/s/b.ts", [], "Expect: 100-continue", "Content-Encoding: gzip"),
        .stream("/live/s/b.ts", [], "Expect: 100-continue", "Headwater-Epoch: x"),
    ]

    @Test(arguments: unasked.indices, HTTPVersion.allCases)
    func `an uploader that asks first is refused before it has sent a byte`(
        index: Int, version: HTTPVersion
    ) async throws {
        try await withOrigin { origin in
            let upload = try await origin.open(Self.unasked[index], over: version, isBodyOpen: true)
            let response = try await upload.response()
            #expect((400...499).contains(response.status))
            #expect(response.interim == [])
            #expect(response.end == .whole)
            if version == .http1 { #expect(response["Connection"] == "close") }
        }
    }

    @Test(arguments: HTTPVersion.allCases)
    func `a refusal is seen though the body still comes`(version: HTTPVersion) async throws {
        try await withOrigin { origin in
            let request = Request.stream(Self.path, [], "Content-Encoding: gzip")
            let upload = try await origin.open(request, over: version, isBodyOpen: true)
            for _ in 0..<100 { upload.send(String(repeating: "x", count: 50_000)) }
            let response = try await upload.response()
            #expect(response.status == 415)
            #expect(response["Content-Type"]?.hasPrefix("text/plain") == true)
            if version == .http1 { #expect(response["Connection"] == "close") }
        }
    }

    /// What is refused, and words of the answer.
    static let told = [
        (
            Case("an older epoch", .put(path, "x", "Headwater-Epoch: 1"), 409),
            stored: Request.put("/live/s/b.ts", "x", "Headwater-Epoch: 2"), words: "larger epoch 2"
        ),
        (
            Case("a playlist that does not parse", .put("/live/s/a.m3u8", "#EXTM3U\n#EXTINF:x,\na.ts\n"), 400),
            stored: .put("/live/s/a.m3u8", playlist(["0.ts"])), words: "line 2"
        ),
        (
            Case("more than memory has", .put(path, String(repeating: "x", count: 300_000)), 507) {
                $0.store.memoryLimitBytes = 100_000
            },
            stored: .put("/live/other/a.ts", "x"), words: "--stream-memory-limit"
        ),
        (
            Case("more than its stream may ever have", .put(path, String(repeating: "x", count: 300_000)), 507) {
                $0.store.streamMemoryLimitBytes = 100_000
            },
            stored: .put("/live/s/b.ts", "x"), words: "--stream-memory-limit"
        ),
    ]

    @Test(arguments: told.indices, HTTPVersion.allCases)
    func `a refusal says in words what is wrong, and what was there stays`(
        index: Int, version: HTTPVersion
    ) async throws {
        let (row, stored, words) = Self.told[index]
        try await withOrigin(row.configure) { origin in
            try await origin.send(stored, over: version)
            let response = try await origin.send(row.request, over: version)
            #expect(row.statuses == [response.status])
            #expect(response.body.contains(words), "\(response.body)")
            #expect(try await origin.send(.get(stored.path), over: version).body == stored.body?.joined())
        }
    }

    @Test(arguments: HTTPVersion.allCases)
    func `the newer of two uploads holds, and the older is told`(version: HTTPVersion) async throws {
        try await withOrigin { origin in
            let first = try await origin.upload(Self.path, "one two", over: version)
            let reader = try await origin.open(.get(Self.path), over: version)
            try await reader.body("one two")
            let second = try await origin.open(.stream(Self.path, ["one THREE"]), over: version)
            #expect(try await second.response().status == 201)
            #expect(try await reader.response().end != .whole)
            first.send("more")
            #expect(try await first.response().status == 412)
            #expect(try await origin.send(.get(Self.path), over: version).body == "one THREE")
        }
    }

    @Test(arguments: HTTPVersion.allCases)
    func `an upload that repeats what broke off goes on for its readers`(version: HTTPVersion) async throws {
        try await withOrigin {
            $0.store.resumeWindow = .seconds(60)
        } _: { origin in
            let first = try await origin.upload(Self.path, "one", over: version)
            let reader = try await origin.open(.get(Self.path), over: version)
            try await reader.body("one")
            first.abort()
            let second = try await origin.open(.stream(Self.path, ["on", "e tw", "o"]), over: version)
            #expect(try await second.response().status == 201)
            let response = try await reader.response()
            #expect(response.end == .whole)
            #expect(response.body == "one two")
        }
    }

    @Test(arguments: HTTPVersion.allCases)
    func `an uploader that falls silent is given up, and its readers are cut`(version: HTTPVersion) async throws {
        try await withOrigin {
            $0.uploadTimeout = .milliseconds(200)
        } _: { origin in
            let upload = try await origin.open(
                .stream(Self.path, ["one"], "Expect: 100-continue"), over: version, isBodyOpen: true)
            let response = try await upload.response()
            #expect(response.status == 408)
            let later = try await origin.send(.get(Self.path), over: version)
            #expect(later.status == 404 || later.end != .whole)
        }
    }
}
