import Testing

@Suite(.timeLimit(.minutes(2))) struct RangeTests {
    private static let path = Case.path
    private static let whole = "0123456789"
    private static let longPath = "/live/s/long.ts"
    /// 10,000 bytes; each ten of them tell their place.
    private static let long = (0..<1_000).map { "<\(100_000_000 + $0)" }.joined()

    private static func part(_ range: String, _ contentRange: String, _ body: String) -> Case {
        Case(
            range, .get(path, "Range: \(range)"), 206,
            fields: [
                "Content-Range: bytes \(contentRange)/10", "Content-Length: \(body.utf8.count)", "ETag: {etag}",
                "Content-Type: video/mp2t", "Last-Modified: {modified}",
                "Cache-Control: public, max-age=31536000, immutable",
            ],
            body: body)
    }

    private static func ignored(_ range: String) -> Case {
        Case(
            range, .get(path, "Range: \(range)"), 200, fields: ["!Content-Range", "Accept-Ranges: bytes"], body: whole)
    }

    private static func unsatisfiable(_ range: String) -> Case {
        Case(range, .get(path, "Range: \(range)"), 416, fields: ["Content-Range: bytes */10"])
    }

    static let single = [
        part("bytes=0-0", "0-0", "0"), part("bytes=2-4", "2-4", "234"), part("bytes=9-9", "9-9", "9"),
        part("bytes=0-", "0-9", whole), part("bytes=8-", "8-9", "89"), part("bytes=8-100", "8-9", "89"),
        part("bytes=8-9007199254740991", "8-9", "89"), part("bytes=0-99999999999999999999999", "0-9", whole),
        part("bytes=-3", "7-9", "789"), part("bytes=-10", "0-9", whole),
        part("bytes=-99999999999999999999", "0-9", whole),
        part("BYTES=2-4", "2-4", "234"), part("bytes=2-4,", "2-4", "234"), part("bytes=,, 2-4", "2-4", "234"),
        unsatisfiable("bytes=10-"), unsatisfiable("bytes=10-20"), unsatisfiable("bytes=-0"),
        unsatisfiable("bytes=99999999999999999999-"), unsatisfiable("bytes=10-11,20-21"),
        ignored("bytes=4-2"), ignored("bytes=a-b"), ignored("bytes=--1"), ignored("bytes=-"), ignored("bytes="),
        ignored("bytes"), ignored("items=0-1"), ignored("bytes=0x1-2"), ignored("bytes=+1-2"), ignored("bytes=1"),
        ignored("bytes=0-1,x"), ignored("bytes=0-1,4-2"), ignored("bytes=1 - 2"), ignored("0-1"),
        ignored("bytes=" + String(repeating: "0-0,", count: 1_000) + "0-0"),
        Case("HEAD has no ranges", .head(path, "Range: bytes=2-4"), 200, fields: ["Content-Length: 10"], body: ""),
        Case(
            "an empty object", stored: [.put("/e.ts", "")], .get("/e.ts", "Range: bytes=0-"), 416,
            fields: ["Content-Range: bytes */0"]),
        Case("of a missing object", .get("/none.ts", "Range: bytes=0-1"), 404),
        Case(
            "of a playlist", stored: [.put("/a.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n")],
            .get("/a.m3u8", "Range: bytes=0-6"), 206, body: "#EXTM3U"),
        Case("of an upload: it is stored whole", .put(path, "x", "Range: bytes=0-1"), 204),
    ]

    /// What is asked, and the parts that must come.
    static let several: [(range: String, parts: [ClosedRange<Int>])] = [
        ("bytes=0-99,5000-5099", [0...99, 5_000...5_099]),
        ("bytes=5000-5099,0-99", [5_000...5_099, 0...99]),
        ("bytes=0-0,-1", [0...0, 9_999...9_999]),
        ("bytes=0-99, 200-299 ,\t400-499", [0...99, 200...299, 400...499]),
        ("bytes=0-99,9990-20000", [0...99, 9_990...9_999]),
        ("bytes=0-99,200-299,20000-20001", [0...99, 200...299]),
        ("bytes=0-99,,200-299", [0...99, 200...299]),
        ("bytes=0-99,50-149,300-399", [0...149, 300...399]),
        ("bytes=0-99,50-149", [0...149]),
        ("bytes=0-99,20000-", [0...99]),
        ("bytes=0-99,0-99,0-99,0-99", [0...99]),
        (
            "bytes=" + (0..<16).map { "\($0 * 300)-\($0 * 300)" }.joined(separator: ","),
            (0..<16).map { $0 * 300...$0 * 300 }
        ),
    ]

    static let wholeInstead = [
        "bytes=" + (0..<17).map { "\($0 * 300)-\($0 * 300)" }.joined(separator: ","),
        "bytes=" + (0..<65).map { "\($0)-\($0)" }.joined(separator: ","),
        "bytes=0-4999,5100-9999",
    ]

    @Test(arguments: single, HTTPVersion.allCases)
    func `a part of a complete object`(row: Case, version: HTTPVersion) async throws {
        try await row.check(over: version)
    }

    @Test(arguments: several.indices, HTTPVersion.allCases)
    func `several parts of a complete object`(index: Int, version: HTTPVersion) async throws {
        let (range, expected) = Self.several[index]
        try await withOrigin { origin in
            try await origin.send(.put(Self.longPath, Self.long), over: version)
            let request = Request.get(Self.longPath, "Range: \(range)")
            let response = try await origin.send(request, over: version)
            Invariants.check(response, to: request, over: version)
            #expect(response.status == 206, "\(range)")
            let parts: [Multipart.Part]
            if let contentRange = response["Content-Range"] {
                parts = [Multipart.Part(type: response["Content-Type"], range: contentRange, body: response.body)]
            } else {
                parts = try #require(Multipart.parts(of: response))
                // A reader that asked for one part, or whose parts became one, might not know how to take it apart.
                #expect(parts.count > 1)
            }
            #expect(parts.map(\.range) == expected.map { "bytes \($0.lowerBound)-\($0.upperBound)/10000" })
            #expect(parts.allSatisfy { $0.type == "video/mp2t" })
            let bodies = expected.map { String(Self.long.utf8.dropFirst($0.lowerBound).prefix($0.count)) }
            #expect(parts.map(\.body) == bodies)
            #expect(response["Content-Length"] != nil)
        }
    }

    @Test(arguments: wholeInstead, HTTPVersion.allCases)
    func `parts that cost more than the whole are answered with the whole`(
        range: String, version: HTTPVersion
    ) async throws {
        try await withOrigin { origin in
            try await origin.send(.put(Self.longPath, Self.long), over: version)
            let response = try await origin.send(.get(Self.longPath, "Range: \(range)"), over: version)
            #expect(response.status == 200)
            #expect(response.body == Self.long)
        }
    }
}

/// A body of several parts (`RFC 9110 §14.6`, `RFC 2046 §5.1`).
enum Multipart {
    struct Part {
        let type: String?
        let range: String
        let body: String
    }

    /// Nil where it is not well formed to the last byte.
    static func parts(of response: Response) -> [Part]? {
        guard let type = response["Content-Type"], let equals = type.firstRange(of: "boundary=") else { return nil }
        let boundary = type[equals.upperBound...].filter { $0 != "\"" }
        guard (1...70).contains(boundary.utf8.count) else { return nil }
        var rest = Substring("\r\n" + response.body)
        var parts: [Part] = []
        while rest.hasPrefix("\r\n--\(boundary)\r\n") {
            rest = rest.dropFirst("\r\n--\(boundary)\r\n".count)
            guard let headEnd = rest.firstRange(of: "\r\n\r\n"),
                let bodyEnd = rest[headEnd.upperBound...].firstRange(of: "\r\n--\(boundary)")
            else { return nil }
            let fields = rest[..<headEnd.lowerBound].split(separator: "\r\n").map { Request.split(String($0)) }
            guard let range = fields.first(where: { $0.name.lowercased() == "content-range" })?.value else {
                return nil
            }
            parts.append(
                Part(
                    type: fields.first { $0.name.lowercased() == "content-type" }?.value, range: range,
                    body: String(rest[headEnd.upperBound..<bodyEnd.lowerBound])))
            rest = rest[bodyEnd.lowerBound...]
        }
        guard rest == "\r\n--\(boundary)--" || rest == "\r\n--\(boundary)--\r\n" else { return nil }
        return parts
    }
}
