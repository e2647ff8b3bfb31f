import HTTPSemantics
import NIOCore
import OriginServer
import OriginStore
import Testing

@Suite struct RequestTests {
    @Test func `an object is served with its length, entity tag and a policy for caches`() async throws {
        try await withOrigin { origin in
            #expect(try await origin.request("PUT", "/live/s/a.ts", body: "0123456789").status == 201)
            let response = try await origin.request("GET", "/live//s/%61.ts?token=x&_HLS_msn=1")
            #expect(response.status == 200)
            #expect(response.body == "0123456789")
            #expect(response["Content-Length"] == "10")
            #expect(response["Content-Type"] == "video/mp2t")
            #expect(response["Accept-Ranges"] == "bytes")
            #expect(response["Cache-Control"] == "public, max-age=31536000, immutable")
            #expect(response["Access-Control-Allow-Origin"] == "*")
            #expect(response["Transfer-Encoding"] == nil)
            #expect(response["Connection"] == "close")
            #expect(response["Last-Modified"]?.hasSuffix(" GMT") == true)
            let tag = try #require(response["ETag"])
            #expect(tag.hasPrefix("\"") && tag.hasSuffix("\"") && tag.utf8.count > 4)
            let head = try await origin.request("HEAD", "/live/s/a.ts")
            #expect(head.status == 200)
            #expect(head.body == "")
            #expect(head["Content-Length"] == "10")
            #expect(head["ETag"] == tag)
        }
    }

    @Test func `a conditional request is answered by the entity tag`() async throws {
        try await withOrigin { origin in
            _ = try await origin.request("PUT", "/a.ts", body: "0123456789")
            let tag = try #require(try await origin.request("GET", "/a.ts")["ETag"])
            for field in [
                tag, "*", "W/\(tag)", "\"x\", \(tag)", "\"x\",W/\"y\" , \(tag)", "\"x\"\r\nIf-None-Match: \(tag)",
            ] {
                let response = try await origin.request("GET", "/a.ts", "If-None-Match: \(field)")
                #expect(response.status == 304, "\(field)")
                #expect(response["ETag"] == tag)
                #expect(response["Cache-Control"] != nil)
                #expect(response["Content-Length"] == nil)
                #expect(response.body == "")
            }
            let unquoted = tag.dropFirst().dropLast()
            for field in ["\"x\"", String(unquoted), "\"x\(unquoted)\"", "\"x\(tag)y\"", "x, \(tag)", "\"\(unquoted)"] {
                #expect(try await origin.request("GET", "/a.ts", "If-None-Match: \(field)").status == 200, "\(field)")
            }
        }
    }

    @Test func `ranges of a complete object`() async throws {
        try await withOrigin { origin in
            _ = try await origin.request("PUT", "/a.ts", body: "0123456789")
            let table: [(range: String, status: Int, contentRange: String?, body: String)] = [
                ("bytes=0-0", 206, "bytes 0-0/10", "0"),
                ("bytes=2-4", 206, "bytes 2-4/10", "234"),
                ("bytes=8-", 206, "bytes 8-9/10", "89"),
                ("bytes=8-9007199254740991", 206, "bytes 8-9/10", "89"),
                ("bytes=0-99999999999999999999999", 206, "bytes 0-9/10", "0123456789"),
                ("bytes=-3", 206, "bytes 7-9/10", "789"),
                ("bytes=-99", 206, "bytes 0-9/10", "0123456789"),
                ("bytes=10-", 416, "bytes */10", ""),
                ("bytes=-0", 416, "bytes */10", ""),
                ("bytes=0-1,3-4", 206, "bytes 0-4/10", "01234"),
                ("bytes=4-2", 200, nil, "0123456789"),
                ("bytes=a-b", 200, nil, "0123456789"),
                ("bytes=--1", 200, nil, "0123456789"),
                ("items=0-1", 200, nil, "0123456789"),
            ]
            for row in table {
                let response = try await origin.request("GET", "/a.ts", "Range: \(row.range)")
                #expect(response.status == row.status, "\(row.range)")
                #expect(response["Content-Range"] == row.contentRange, "\(row.range)")
                #expect(response.body == row.body, "\(row.range)")
                #expect(response["Content-Length"] == "\(row.body.utf8.count)", "\(row.range)")
            }
            let tag = try #require(try await origin.request("GET", "/a.ts")["ETag"])
            #expect(try await origin.request("GET", "/a.ts", "Range: bytes=1-2", "If-Range: \(tag)").status == 206)
            #expect(try await origin.request("GET", "/a.ts", "Range: bytes=1-2", "If-Range: \"x\"").status == 200)
            #expect(try await origin.request("HEAD", "/a.ts", "Range: bytes=1-2").status == 200)
        }
    }

    static let refused: [(request: String, status: Int)] = [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /a/%2e%2e/b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /a%2fb HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /a%00b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /a\u{0}b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /..\\b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("PUT /../../etc/passwd HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", 400),
        ("DELETE /a/..%2fb HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /a.ts HTTP/1.1\r\n\r\n", 400),
        ("GET /a.ts HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET /a.ts HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("PUT /a.ts HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        ("PUT /a.ts HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
        ("PUT /a.ts HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", 400),
        ("PUT /a.ts HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n", 413),
        ("PUT /a.ts HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        ("PUT /a.ts HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", 415),
        ("PUT /a.ts HTTP/1.1\r\nHost: a\r\nContent-Range: bytes 0-0/2\r\nContent-Length: 1\r\n\r\nx", 400),
        ("PUT /a.ts HTTP/1.1\r\nHost: a\r\nHeadwater-Epoch: new\r\nContent-Length: 1\r\n\r\nx", 400),
        ("PUT /a.m3u8 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\ntext", 400),
        ("PUT /a.m3u8 HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n", 413),
        ("PUT /a.ts HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
        ("PATCH /a.ts HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        ("TRACE /a.ts HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        ("CONNECT host:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /a.ts HTTP/9.9\r\nHost: a\r\n\r\n", 505),
        ("nonsense\r\n\r\n", 501),
        ("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{FC}\u{3}\u{3}", 501),
        ("GET /\(String(repeating: "a", count: 1_200)) HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        ("GET /a.ts HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "a", count: 1 << 20))\r\n\r\n", 431),
        ("GET /\(String(repeating: "a", count: 1 << 20)) HTTP/1.1\r\nHost: a\r\n\r\n", 431),
    ]

    @Test(arguments: refused.indices)
    func `what is no request is refused, and the origin stays up`(index: Int) async throws {
        let (request, status) = Self.refused[index]
        try await withOrigin { origin in
            let response = Response(try await origin.exchange(request))
            #expect(response.status == status, "\(request.prefix(80))")
            #expect(response["Connection"] == "close")
            #expect(response["Cache-Control"] == "no-store")
            #expect(response.body.utf8.count == response["Content-Length"].flatMap { Int($0) })
            #expect(try await origin.request("GET", "/none").status == 404)
            #expect(origin.store.counts.playlists == 0)
        }
    }

    @Test func `what is missing is not to be kept by caches, and says so without closing`() async throws {
        try await withOrigin { origin in
            let client = try await origin.client()
            client.send("GET /none HTTP/1.1\r\nHost: a\r\n\r\n")
            let response = Response(try await client.receive("there is no such object\n"))
            #expect(response.status == 404)
            #expect(response["Cache-Control"] == "no-store")
            #expect(response["Connection"] == nil)
            client.send("HEAD /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            let head = Response(try await client.receiveAll())
            #expect(head.status == 404)
            #expect(head["Content-Length"] == "24")
            #expect(head.body == "")
        }
    }

    @Test func `the methods are told to browsers and to whoever asks wrongly`() async throws {
        try await withOrigin { origin in
            for path in ["/a.ts", "*"] {
                let response = try await origin.request("OPTIONS", path, "Access-Control-Request-Method: GET")
                #expect(response.status == 204)
                #expect(response["Allow"] == "GET, HEAD, OPTIONS, PUT, POST, DELETE")
                #expect(response["Access-Control-Allow-Origin"] == "*")
                #expect(response["Access-Control-Allow-Headers"]?.contains("Range") == true)
                #expect(response["Content-Length"] == nil)
            }
            #expect(try await origin.request("PATCH", "/a.ts")["Allow"] == "GET, HEAD, OPTIONS, PUT, POST, DELETE")
        }
    }

    @Test func `each kind of object has its type and cache class`() async throws {
        try await withOrigin {
            try? $0.cache.cacheControl.set("segment=upstream")
        } _: { origin in
            let multivariant = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n"
            let table: [(path: String, fields: String, body: String, type: String, cache: String?)] = [
                (
                    "/a.m3u8", "A: b", playlist([]), "application/vnd.apple.mpegurl",
                    "public, max-age=1, stale-if-error=1"
                ),
                ("/b.m3u8", "A: b", multivariant, "application/vnd.apple.mpegurl", "public, max-age=1"),
                ("/c.mpd", "A: b", "<MPD/>", "application/dash+xml", "public, max-age=1, stale-if-error=1"),
                (
                    "/d.mp4", "Content-Type: application/octet-stream", "x", "video/mp4",
                    "public, max-age=31536000, immutable"
                ),
                ("/e.ts", "Cache-Control: max-age=7", "x", "video/mp2t", "max-age=7"),
                ("/f.bin", "Content-Type: text/x-odd", "x", "text/x-odd", nil),
                ("/g.m4s", "Content-Type: \(String(repeating: "a", count: 200))", "x", "video/mp4", nil),
            ]
            for row in table {
                #expect(try await origin.request("PUT", row.path, row.fields, body: row.body).status == 201)
                let response = try await origin.request("GET", row.path)
                #expect(response["Content-Type"] == row.type, "\(row.path)")
                #expect(response["Cache-Control"] == row.cache, "\(row.path)")
            }
        }
    }

    @Test func `a date is written as HTTP wants it`() {
        #expect(HTTPDate.text(unixTime: 0) == "Thu, 01 Jan 1970 00:00:00 GMT")
        #expect(HTTPDate.text(unixTime: 784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(HTTPDate.text(unixTime: 951_827_696) == "Tue, 29 Feb 2000 12:34:56 GMT")
        #expect(HTTPDate.text(unixTime: 4_107_542_399) == "Sun, 28 Feb 2100 23:59:59 GMT")
        #expect(HTTPDate.text(unixTime: -1) == "Thu, 01 Jan 1970 00:00:00 GMT")
    }
}
