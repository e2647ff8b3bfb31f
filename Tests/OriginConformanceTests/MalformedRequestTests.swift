import NIOCore
import OriginServer
import Testing

/// Requests that only raw bytes can make: what is no HTTP/1.1 is refused, and nothing is hidden in it (`RFC 9112 §11`).
@Suite(.timeLimit(.minutes(2))) struct MalformedRequestTests {
    /// Bytes, and the status that must come, alone, before the connection is closed.
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: String
        let status: Int

        init(_ name: String, _ bytes: String, _ status: Int) {
            testDescription = name
            self.bytes = bytes
            self.status = status
        }
    }

    /// A request that must never be answered nor done: it is hidden in another's body.
    private static let hidden = "PUT /hidden.ts HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"

    private static func put(_ fields: String, _ body: String = "") -> String {
        "PUT /a.ts HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n\(body)"
    }

    private static func chunked(_ body: String) -> String { put("Transfer-Encoding: chunked", body) }

    private static func get(_ fields: String, target: String = "/a.ts") -> String {
        "GET \(target) HTTP/1.1\r\nHost: a\r\n\(fields)Connection: close\r\n\r\n"
    }

    static let smuggling = [
        Row("both framings", put("Content-Length: 6\r\nTransfer-Encoding: chunked", "0\r\n\r\n" + hidden), 400),
        Row(
            "both framings, the other order",
            put("Transfer-Encoding: chunked\r\nContent-Length: 6", "0\r\n\r\n" + hidden), 400),
        Row(
            "both framings on a GET",
            "GET /a.ts HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                + hidden, 400),
        Row("two lengths", put("Content-Length: 1\r\nContent-Length: \(hidden.utf8.count + 1)", "x" + hidden), 400),
        Row("two lengths in one", put("Content-Length: 1, \(hidden.utf8.count + 1)", "x" + hidden), 400),
        Row("the same length twice", put("Content-Length: 1\r\nContent-Length: 1", "x"), 400),
        Row("a negative length", put("Content-Length: -1", hidden), 400),
        Row("a length with a sign", put("Content-Length: +1", "x" + hidden), 400),
        Row("a length with a space", put("Content-Length: 1 0", "x" + hidden), 400),
        Row("a hexadecimal length", put("Content-Length: 0x1", "x" + hidden), 400),
        Row("a length without a digit", put("Content-Length: ", hidden), 400),
        Row("a length beyond all", put("Content-Length: 99999999999999999999", "x"), 400),
        Row("a length of all there is", put("Content-Length: 9223372036854775807", "x"), 413),
        Row("a length that wraps", put("Content-Length: 18446744073709551617", "x" + hidden), 400),
        Row("an unknown coding", put("Transfer-Encoding: gzip", hidden), 501),
        Row("an unknown coding before", put("Transfer-Encoding: gzip, chunked", "0\r\n\r\n"), 501),
        Row("an unknown coding after", put("Transfer-Encoding: chunked, gzip", "0\r\n\r\n" + hidden), 400),
        Row("chunked twice", put("Transfer-Encoding: chunked, chunked", "0\r\n\r\n"), 400),
        Row(
            "chunked in two fields", put("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n"), 400),
        Row(
            "chunked, and identity",
            put("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n" + hidden), 400),
        Row("what is almost chunked", put("Transfer-Encoding: xchunked", "0\r\n\r\n" + hidden), 501),
        Row("chunked behind a control byte", put("Transfer-Encoding: \u{B}chunked", "0\r\n\r\n" + hidden), 400),
        Row("chunked in quotes", put("Transfer-Encoding: \"chunked\"", "0\r\n\r\n" + hidden), 501),
        Row("a space before the colon", put("Transfer-Encoding : chunked", "0\r\n\r\n" + hidden), 400),
        Row("a tab before the colon", put("Content-Length\t: 1", "x" + hidden), 400),
        Row("a folded line", put("Transfer-Encoding:\r\n chunked", "0\r\n\r\n" + hidden), 400),
        Row("a folded length", put("Content-Length: 1\r\n 0", "x" + hidden), 400),
        Row("a first line that is folded", "GET /a.ts HTTP/1.1\r\n Host: a\r\nHost: a\r\n\r\n", 400),
        Row("a carriage return alone", put("X: a\rTransfer-Encoding: chunked\r\nContent-Length: 0", hidden), 400),
        Row("a line feed within a value", put("X: a\n\nContent-Length: 0", hidden), 400),
        Row(
            "chunked over HTTP/1.0", "PUT /a.ts HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden, 400),
        Row("a NUL in a value", put("X: a\u{0}b\r\nContent-Length: 0"), 400),
        Row("a name with a NUL", put("X\u{0}: b\r\nContent-Length: 0"), 400),
        Row("a name without letters", put(": b\r\nContent-Length: 0"), 400),
        Row("a name with a space", put("X Y: b\r\nContent-Length: 0"), 400),
        Row("a line without a colon", put("nonsense\r\nContent-Length: 0"), 400),
    ]

    static let chunks = [
        Row("a size beyond all", chunked("FFFFFFFFFFFFFFFFF\r\nx"), 400),
        Row("a size of all there is", chunked("FFFFFFFFFFFFFFFF\r\nx"), 408),
        Row("a size that wraps", chunked("10000000000000001\r\nx\r\n0\r\n\r\n" + hidden), 400),
        Row("a negative size", chunked("-1\r\nx\r\n0\r\n\r\n" + hidden), 400),
        Row("a size with its prefix", chunked("0x1\r\nx\r\n0\r\n\r\n" + hidden), 400),
        Row("a size that is none", chunked("xyz\r\nx\r\n0\r\n\r\n"), 400),
        Row("no size", chunked("\r\nx\r\n0\r\n\r\n" + hidden), 400),
        Row("a space before the size", chunked(" 1\r\nx\r\n0\r\n\r\n" + hidden), 400),
        Row("more than the size", chunked("1\r\nxy\r\n0\r\n\r\n" + hidden), 400),
        Row("no end of line after the bytes", chunked("1\r\nx0\r\n\r\n" + hidden), 400),
        Row("a line feed alone after the bytes", chunked("1\r\nx\n0\r\n\r\n" + hidden), 400),
        Row("a carriage return alone after the size", chunked("1\rx\r\n0\r\n\r\n" + hidden), 400),
        Row(
            "trailers without end", chunked("1\r\nx\r\n0\r\n" + String(repeating: "X: y\r\n", count: 100_000) + "\r\n"),
            400),
        Row("a trailer that is none", chunked("1\r\nx\r\n0\r\nnonsense\r\n\r\n" + hidden), 400),
    ]

    static let heads = [
        Row("no Host", "GET /a.ts HTTP/1.1\r\n\r\n", 400),
        Row("two Hosts", "GET /a.ts HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        Row("the same Host twice", "GET /a.ts HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        Row("a Host that is none", "GET /a.ts HTTP/1.1\r\nHost: a/b\r\nConnection: close\r\n\r\n", 400),
        Row("a Host of two", "GET /a.ts HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n", 400),
        Row("one header field that is too large", get("X: \(String(repeating: "a", count: 100_000))\r\n"), 431),
        Row(
            "header fields that are too large together",
            get((0..<60).map { "X\($0): \(String(repeating: "a", count: 1_000))\r\n" }.joined()), 431),
        Row("too many header fields", get((0..<5_000).map { "X\($0): a\r\n" }.joined()), 431),
        Row("a name that is too long", get("\(String(repeating: "a", count: 100_000)): a\r\n"), 431),
        Row(
            "a header that never ends", "GET /a.ts HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "a", count: 1 << 20))",
            431),
        Row("a target that is too long", get("", target: "/" + String(repeating: "a", count: 1_200)), 414),
        Row("a target that is far too long", get("", target: "/" + String(repeating: "a", count: 100_000)), 431),
        Row(
            "a query that is far too long", get("", target: "/a.ts?" + String(repeating: "a", count: 100_000)), 431),
        Row("a target that never ends", "GET /" + String(repeating: "a", count: 1 << 20), 431),
        Row("HTTP/2.0 in the line", "GET /a.ts HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        Row("HTTP/3.0 in the line", "GET /a.ts HTTP/3.0\r\nHost: a\r\n\r\n", 505),
        Row("HTTP/9.9 in the line", "GET /a.ts HTTP/9.9\r\nHost: a\r\n\r\n", 505),
        Row("HTTP/0.9", "GET /a.ts\r\n\r\n", 505),
        Row("another protocol's letters", "GET /a.ts http/1.1\r\nHost: a\r\n\r\n", 400),
        Row("an unknown method", "BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        Row("a method in lower case", "get /a.ts HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        Row("a method that never ends", String(repeating: "A", count: 100_000), 501),
        Row("TRACE", "TRACE /a.ts HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 405),
        Row("CONNECT", "CONNECT host:443 HTTP/1.1\r\nHost: host:443\r\nConnection: close\r\n\r\n", 400),
        Row("a target without a slash", get("", target: "a.ts"), 400),
        Row("a target of a space", "GET  HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        Row("a target with a space", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        Row("an asterisk for GET", get("", target: "*"), 400),
        Row("a scheme that is none", get("", target: "ftp://a/a.ts"), 400),
        Row("a target with a NUL", get("", target: "/a\u{0}.ts"), 400),
        Row("no HTTP", "nonsense\r\n\r\n", 501),
        Row("a TLS hello", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{FC}\u{3}\u{3}\r\n\r\n", 501),
        Row("an RTMP hello", "\u{3}" + String(repeating: "\u{0}", count: 1_536), 501),
        Row("half of HTTP/2", "PRI * HTTP/1.1\r\nHost: a\r\n\r\n", 505),
    ]

    @Test(arguments: smuggling + chunks + heads)
    func `it is refused, the connection is closed, and nothing in it is done`(row: Row) async throws {
        try await withOrigin {
            if row.status == 408 { $0.uploadTimeout = .seconds(1) }
        } _: { origin in
            let connection = try await HTTP1Connection(to: origin.address)
            connection.send(row.bytes)
            let responses = try await connection.responsesUntilClosed()
            #expect(responses.count <= 1, "\(responses.map(\.status))")
            let response = responses.first ?? Response()
            #expect(response.status == row.status, "\(response.body)")
            #expect(response.end == .whole)
            #expect(response["Connection"] == "close")
            Invariants.check(response, to: .get("/"), over: .http1)
            // It stays up, and neither what was hidden nor what was broken is there.
            for path in ["/hidden.ts", "/a.ts"] {
                let after = try await origin.send(.get(path), over: .http2)
                #expect(after.status == 404 || after.end != .whole)
            }
        }
    }

    /// Requests that look odd, and are to be served.
    static let odd = [
        Row("empty lines before it", "\r\n\r\n" + get(""), 200),
        Row("the target in absolute form", get("", target: "http://other.example/a.ts"), 200),
        Row(
            "the target in absolute form, encrypted elsewhere", get("", target: "https://other.example:8443/a.ts?x"),
            200),
        Row("OPTIONS of an asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 204),
        Row("an empty Host", "GET /a.ts HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n", 200),
        Row("a Host that is an address", "GET /a.ts HTTP/1.1\r\nHost: [::1]:9094\r\nConnection: close\r\n\r\n", 200),
        Row("another protocol of the same form, taken for HTTP/1.0", "GET /a.ts RTSP/1.0\r\nHost: a\r\n\r\n", 200),
        Row("names in any case", "GET /a.ts HTTP/1.1\r\nhOsT: a\r\ncOnNeCtIoN: close\r\n\r\n", 200),
        Row("no space after the colon", "GET /a.ts HTTP/1.1\r\nHost:a\r\nConnection:close\r\n\r\n", 200),
        Row("spaces around the value", "GET /a.ts HTTP/1.1\r\nHost: \t a \t \r\nConnection:  close \r\n\r\n", 200),
        Row("bytes beyond ASCII in a value", get("X: f\u{FC}r\r\n"), 200),
        Row(
            "chunked in capitals",
            "PUT /b.ts HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\nConnection: close\r\n\r\n1\r\nx\r\n0\r\n\r\n",
            201),
        Row(
            "chunk extensions",
            "PUT /b.ts HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n1;a=b;c=\"d\"\r\nx\r\n0;e\r\n\r\n",
            201),
        Row(
            "a chunk extension of a megabyte",
            "PUT /b.ts HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n1;"
                + String(repeating: "a", count: 1 << 20) + "\r\nx\r\n0\r\n\r\n", 201),
        Row(
            "sizes with zeros and capitals",
            "PUT /b.ts HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n00A\r\n0123456789\r\n000\r\n\r\n",
            201),
        Row(
            "trailers",
            "PUT /b.ts HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\nx\r\n0\r\nX: y\r\nHost: b\r\n\r\n",
            201),
        Row(
            "an upgrade that is not wanted",
            "GET /a.ts HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\n\r\n", 200),
        Row(
            "an upgrade to HTTP/2",
            "GET /a.ts HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
            200),
        Row("a query of 8 kB", get("", target: "/a.ts?" + String(repeating: "a", count: 8_000)), 200),
        Row("header fields of 16 kB", get("X: \(String(repeating: "a", count: 16_000))\r\n"), 200),
        Row("50 header fields", get((0..<50).map { "X\($0): a\r\n" }.joined()), 200),
    ]

    @Test(arguments: odd)
    func `what is only odd is served`(row: Row) async throws {
        try await withOrigin { origin in
            try await origin.send(.put("/a.ts", "whole"))
            let responses = try await origin.exchange(row.bytes)
            #expect(responses.count == 1)
            #expect(responses.first?.status == row.status, "\(responses)")
            if let response = responses.first {
                Invariants.check(response, to: .get("/a.ts"), over: .http1)
                if response.status == 200 { #expect(response.body == "whole") }
            }
        }
    }
}
