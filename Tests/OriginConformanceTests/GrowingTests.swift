import NIOCore
import OriginServer
import OriginStore
import Testing

/// Objects that are read while they are written, and parts of them (`RFC 8673`).
@Suite(.timeLimit(.minutes(2))) struct GrowingTests {
    private static let path = Case.path

    @Test(arguments: HTTPVersion.allCases, ["", "bytes=0-", "bytes=-5", "bytes=0-1,3-4", "bytes=x"])
    func `all of it comes as it is produced`(version: HTTPVersion, range: String) async throws {
        try await withOrigin { origin in
            let upload = try await origin.upload(Self.path, "0123456789", over: version)
            let request = range.isEmpty ? Request.get(Self.path) : .get(Self.path, "Range: \(range)")
            let reader = try await origin.open(request, over: version)
            let head = try await reader.head()
            #expect(head.status == 200)
            #expect(head["Content-Length"] == nil && head["Content-Range"] == nil && head["ETag"] == nil)
            #expect(head["Content-Type"] == "video/mp2t")
            #expect(head["Cache-Control"] == "public, max-age=31536000, immutable")
            try await reader.body("0123456789")
            upload.send("abc")
            try await reader.body("0123456789abc")
            upload.finish()
            let response = try await reader.response()
            #expect(response.end == .whole)
            #expect(response.body == "0123456789abc")
            Invariants.check(response, to: request, over: version)
            #expect(try await upload.response().status == 201)
            let later = try await origin.send(.get(Self.path), over: version)
            #expect(later["Content-Length"] == "13" && later["ETag"] != nil)
        }
    }

    /// What is asked of `0123456789`, which then grows by `abc`, then `defgh`, then ends.
    struct Part: Sendable, CustomTestStringConvertible {
        let range: String
        /// How many times the object has to grow before the response begins; 3 is its end.
        let growths: Int
        let contentRange: String
        let body: String
        /// Whether it goes on with what comes later.
        var isEndless = false

        var testDescription: String { range }
    }

    static let parts = [
        Part(
            range: "bytes=3-9007199254740991", growths: 0, contentRange: "3-9007199254740991/*", body: "3456789",
            isEndless: true),
        Part(
            range: "bytes=0-9007199254740991", growths: 0, contentRange: "0-9007199254740991/*", body: "0123456789",
            isEndless: true),
        Part(
            range: "bytes=3-9223372036854775807", growths: 0, contentRange: "3-9223372036854775807/*", body: "3456789",
            isEndless: true),
        Part(
            range: "bytes=3-18446744073709551616", growths: 0, contentRange: "3-18446744073709551616/*",
            body: "3456789", isEndless: true),
        Part(
            range: "bytes=10-9007199254740991", growths: 0, contentRange: "10-9007199254740991/*", body: "",
            isEndless: true),
        Part(range: "bytes=2-5", growths: 0, contentRange: "2-5/*", body: "2345"),
        Part(range: "bytes=0-9", growths: 0, contentRange: "0-9/*", body: "0123456789"),
        Part(range: "bytes=0-0", growths: 0, contentRange: "0-0/*", body: "0"),
        Part(range: "bytes=8-12", growths: 1, contentRange: "8-12/*", body: "89abc"),
        Part(range: "bytes=8-13", growths: 2, contentRange: "8-13/*", body: "89abcd"),
        Part(range: "bytes=8-100", growths: 3, contentRange: "8-17/18", body: "89abcdefgh"),
        Part(range: "bytes=8-9007199254740990", growths: 3, contentRange: "8-17/18", body: "89abcdefgh"),
        Part(range: "bytes=3-", growths: 0, contentRange: "3-9/*", body: "3456789"),
        Part(range: "bytes=11-", growths: 1, contentRange: "11-12/*", body: "bc"),
        Part(range: "bytes=13-", growths: 2, contentRange: "13-17/*", body: "defgh"),
    ]

    @Test(arguments: parts, HTTPVersion.allCases)
    func `a part of it is held until it is there`(part: Part, version: HTTPVersion) async throws {
        try await withOrigin { origin in
            let upload = try await origin.upload(Self.path, "0123456789", over: version)
            let request = Request.get(Self.path, "Range: \(part.range)")
            let reader = try await origin.open(request, over: version)
            for (index, piece) in ["abc", "defgh", ""].enumerated() {
                if part.growths > index {
                    // What came with this piece is seen by another reader: by then the held one would have been answered.
                    let other = try await origin.open(.get(Self.path), over: version)
                    _ = try await other.head()
                    #expect(reader.inbox.value.status == 0, "answered before growth \(index + 1)")
                    if piece.isEmpty { upload.finish() } else { upload.send(piece) }
                } else if part.growths == index {
                    #expect(try await reader.head().status == 206)
                    try await reader.body(part.body)
                }
            }
            let head = try await reader.head()
            #expect(head.status == 206)
            #expect(head["Content-Range"] == "bytes \(part.contentRange)")
            // What grows may yet be given up: no cache may keep a part of it.
            let policy = part.growths < 3 ? "no-store" : "public, max-age=31536000, immutable"
            #expect(head["Cache-Control"] == policy)
            guard part.isEndless else {
                let response = try await reader.response()
                #expect(response.end == .whole)
                #expect(response.body == part.body)
                return Invariants.check(response, to: request, over: version)
            }
            #expect(head["Content-Length"] == nil)
            upload.send("abc")
            try await reader.body(part.body + "abc")
            upload.send("defgh")
            upload.finish()
            let response = try await reader.response()
            #expect(response.end == .whole)
            #expect(response.body == part.body + "abcdefgh")
            Invariants.check(response, to: request, over: version)
        }
    }

    @Test(arguments: HTTPVersion.allCases, ["bytes=11-", "bytes=20-30"])
    func `a part that the object never reaches cannot be satisfied`(version: HTTPVersion, range: String) async throws {
        try await withOrigin { origin in
            let upload = try await origin.upload(Self.path, "0123456789", over: version)
            let reader = try await origin.open(.get(Self.path, "Range: \(range)"), over: version)
            upload.finish()
            let response = try await reader.response()
            #expect(response.status == 416)
            #expect(response["Content-Range"] == "bytes */10")
        }
    }

    @Test(arguments: HTTPVersion.allCases)
    func `an endless part that begins beyond what is there waits for its first byte`(version: HTTPVersion) async throws
    {
        try await withOrigin { origin in
            let upload = try await origin.upload(Self.path, "0123456789", over: version)
            let reader = try await origin.open(.get(Self.path, "Range: bytes=12-9007199254740991"), over: version)
            _ = try await reader.head()
            let whole = try await origin.open(.get(Self.path), over: version)
            upload.send("abc")
            try await whole.body("0123456789abc")
            upload.send("def")
            upload.finish()
            let response = try await reader.response()
            #expect(response.status == 206)
            #expect(response["Content-Range"] == "bytes 12-9007199254740991/*")
            #expect(response.body == "cdef")
            #expect(response.end == .whole)
        }
    }

    @Test(arguments: HTTPVersion.allCases)
    func `a HEAD tells how much there is`(version: HTTPVersion) async throws {
        try await withOrigin { origin in
            _ = try await origin.upload(Self.path, "0123456789", over: version)
            let plain = try await origin.send(.head(Self.path), over: version)
            #expect(plain.status == 200)
            #expect(plain["Content-Length"] == nil && plain["ETag"] == nil)
            #expect(plain["Cache-Control"] == "public, max-age=31536000, immutable")
            let request = Request.head(Self.path, "Range: bytes=0-")
            let probe = try await origin.send(request, over: version)
            #expect(probe.status == 206)
            #expect(probe["Content-Range"] == "bytes 0-9/*")
            #expect(probe["Cache-Control"] == "no-store")
            Invariants.check(probe, to: request, over: version)
        }
    }

    @Test(arguments: HTTPVersion.allCases)
    func `conditions on a version that is not there yet do not hold`(version: HTTPVersion) async throws {
        try await withOrigin { origin in
            _ = try await origin.upload(Self.path, "0123456789", over: version)
            for fields in [
                [#"If-None-Match: "x""#], ["If-Modified-Since: Fri, 31 Dec 2100 23:59:59 GMT"],
                ["Range: bytes=2-5", #"If-Range: "x""#],
            ] {
                let reader = try await origin.open(Request("GET", Self.path, fields), over: version)
                #expect(try await reader.head().status == 200, "\(fields)")
                try await reader.body("0123456789")
            }
        }
    }

    @Test(arguments: HTTPVersion.allCases, ["", "bytes=3-9007199254740991", "bytes=8-100"])
    func `whoever reads an upload that breaks off is cut`(version: HTTPVersion, range: String) async throws {
        try await withOrigin { origin in
            let upload = try await origin.upload(Self.path, "0123456789", over: version)
            let request = range.isEmpty ? Request.get(Self.path) : .get(Self.path, "Range: \(range)")
            let reader = try await origin.open(request, over: version)
            // A part of which nothing was promised yet may still be answered with an error.
            if range != "bytes=8-100" { _ = try await reader.head() }
            upload.abort()
            let response = try await reader.response()
            #expect(response.end != .whole || response.status >= 400, "\(response)")
            let later = try await origin.send(.get(Self.path), over: version)
            #expect(later.status == 404)
            #expect(later["Cache-Control"] == "no-store")
        }
    }

    @Test(arguments: HTTPVersion.allCases, HTTPVersion.allCases)
    func `an upload of one version is read over the other`(uploading: HTTPVersion, reading: HTTPVersion) async throws {
        try await withOrigin { origin in
            let upload = try await origin.upload(Self.path, "0123456789", over: uploading)
            let readers = try await (0..<20).asyncMap { _ in try await origin.open(.get(Self.path), over: reading) }
            var expected = "0123456789"
            for number in 0..<50 {
                upload.send("piece \(number);")
                expected += "piece \(number);"
            }
            upload.finish()
            for reader in readers {
                let response = try await reader.response()
                #expect(response.end == .whole)
                #expect(response.body == expected)
            }
        }
    }
}

extension Sequence {
    func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
