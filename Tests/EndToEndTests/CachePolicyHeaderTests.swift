import FoundationEssentials
import Testing

/// What Varnish, with the recipe of `deploy/varnish`, makes of responses and of requests.
@Suite(.serialized) struct CachePolicyHeaderTests {
    struct Case: Sendable {
        let headers: [(String, String)]
        var status = 200
        let isKept: Bool
    }

    static let cases = [
        Case(headers: [("Cache-Control", "public, max-age=60")], isKept: true),
        Case(headers: [("Cache-Control", "public, max-age=0")], isKept: false),
        Case(headers: [("Cache-Control", "private, max-age=60")], isKept: false),
        Case(headers: [("Cache-Control", "no-cache")], isKept: false),
        Case(headers: [], isKept: false),
        Case(headers: [("Cache-Control", "no-store"), ("CDN-Cache-Control", "max-age=60")], isKept: true),
        Case(headers: [("Cache-Control", "max-age=60"), ("CDN-Cache-Control", "no-store")], isKept: false),
        Case(
            headers: [("CDN-Cache-Control", "no-store"), ("Surrogate-Control", "public, max-age=60")], isKept: true),
        Case(headers: [("CDN-Cache-Control", "max-age=60"), ("Surrogate-Control", "max-age=0")], isKept: false),
        Case(headers: [("Surrogate-Control", "max-age=0, s-maxage=60")], isKept: true),
        Case(headers: [("Cache-Control", "max-age=60"), ("Vary", "*")], isKept: false),
        Case(headers: [("Cache-Control", "max-age=60"), ("Set-Cookie", "a=b")], isKept: false),
        Case(headers: [("Cache-Control", "max-age=60")], status: 404, isKept: true),
        Case(headers: [("Cache-Control", "no-store")], status: 404, isKept: false),
        Case(headers: [], status: 404, isKept: false),
        Case(headers: [("Cache-Control", "max-age=60")], status: 503, isKept: false),
    ]

    @Test func `responses are kept where the origin says so, and what it says to caches goes no further`() async throws
    {
        let responses = Self.cases.enumerated().map { number, item in
            ("/\(number)", CannedOrigin.Response(status: item.status, headers: item.headers))
        }
        let origin = try await CannedOrigin(Dictionary(uniqueKeysWithValues: responses))
        try await withVarnish(inFrontOf: origin.port) { varnish in
            for (number, item) in Self.cases.enumerated() {
                let path = "/\(number)"
                for _ in 0..<2 {
                    let response = try await Curl.get(varnish.http + path)
                    #expect(response.status == item.status)
                    #expect(response.text == "body")
                    #expect(response.headers["cdn-cache-control"] == nil)
                    #expect(response.headers["surrogate-control"] == nil)
                    #expect(response.headers["x-policy"] == nil)
                }
                #expect(origin.requests(for: path) == (item.isKept ? 1 : 2), "\(item)")
            }
        }
        try await origin.close()
    }

    @Test func `a cache takes no uploads, passes preflights on, and serves ranges of what is complete`() async throws {
        try await withOrigin { origin in
            try await withVarnish(inFrontOf: origin.port) { varnish in
                let url = "\(varnish.http)/live/show/1.ts"
                let media = CachedSegmentTests.media(10_000)
                try await origin.upload("/live/show/1.ts", media)
                for method in ["PUT", "POST", "DELETE", "PATCH"] {
                    let response = try await Curl.get(url, ["-X", method])
                    #expect(response.status == 405)
                    #expect(response.headers["allow"] == "GET, HEAD, OPTIONS")
                }
                let preflight = [
                    "-X", "OPTIONS", "-H", "Origin: http://a.example", "-H", "Access-Control-Request-Method: GET",
                ]
                let options = try await Curl.get(url, preflight)
                #expect(options.status / 100 == 2)
                #expect(options.headers["access-control-allow-origin"] == "*")
                #expect(options.headers["x-cache"] == "PASS")

                let whole = try await Curl.get(url, ["-H", "Cookie: session=1", "-H", "Authorization: Bearer a"])
                #expect(whole.body == media && whole.headers["x-cache"] == "MISS")
                let part = try await Curl.get(url, ["-H", "Range: bytes=100-199"])
                #expect(part.status == 206 && part.headers["x-cache"] == "HIT")
                #expect(part.headers["content-range"] == "bytes 100-199/10000")
                #expect(part.body == Array(media[100..<200]))
                // RFC 8673
                let rest = try await Curl.get(url, ["-H", "Range: bytes=9900-9007199254740991"])
                #expect(rest.status == 206 && rest.body == Array(media[9_900...]))
                let parts = try await Curl.get(url, ["-H", "Range: bytes=0-9,20-29"])
                #expect(parts.status == 200 && parts.body == media)
                let beyond = try await Curl.get(url, ["-H", "Range: bytes=10000-"])
                #expect(beyond.status == 416)
                let etag = try #require(whole.headers["etag"])
                #expect(try await Curl.get(url, ["-H", "If-None-Match: \(etag)"]).status == 304)
                // It could not tell a segment that was cut from a whole one.
                #expect(try await Curl.get(url, ["-0"]).status == 505)
            }
        }
    }
}
