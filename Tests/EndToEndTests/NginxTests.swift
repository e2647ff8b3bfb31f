import NIOCore
import Testing

/// nginx with the recipe of `deploy/nginx`.
@Suite struct NginxTests {
    @Test func `nginx keeps what is complete, passes on what grows, and cuts what was cut`() async throws {
        let media = CachedSegmentTests.media(100_000)
        let object = ByteBuffer(bytes: media)
        try await withOrigin(["--upload-resume-window", "500ms"]) { origin in
            try await withNginx(inFrontOf: origin.port) { nginx in
                // Complete, behind tokens; its 404 before is not kept.
                #expect(try await Curl.get("\(nginx.http)/live/show/1.ts").status == 404)
                try await origin.upload("/live/show/1.ts", media)
                for (query, cache) in [("?token=1", "MISS"), ("?token=2", "HIT")] {
                    let response = try await Curl.get("\(nginx.http)/live/show/1.ts\(query)")
                    #expect(response.status == 200 && response.body == media)
                    #expect(response.headers["x-cache"] == cache)
                }
                let part = try await Curl.get("\(nginx.http)/live/show/1.ts", ["-H", "Range: bytes=100-199"])
                #expect(part.status == 206 && part.body == Array(media[100..<200]))
                let refused = try await Curl.get("\(nginx.http)/live/show/1.ts", ["-X", "PUT"])
                #expect(refused.status == 405 && refused.headers["allow"] == "GET, HEAD, OPTIONS")
                #expect(try await Curl.get("\(nginx.http)/live/show/1.ts", ["-0"]).status == 505)

                // Growing: the first bytes come before the last are there.
                let upload = try await GrowingUpload("/live/show/2.ts", at: origin.port)
                await upload.send(Array(media[..<50_000]))
                try await upload.untilServed()
                let (beginnings, beginning) = AsyncStream.makeStream(of: Int.self)
                async let reading = ObjectReading.read("/live/show/2.ts", at: nginx.port, expecting: object) {
                    beginning.yield($0)
                }
                try await beginnings.wait()
                await upload.send(Array(media[50_000...]))
                try await upload.finish()
                let growing = try await reading
                #expect(growing.status == 200 && growing.hasEnded && growing.isAsExpected)
                #expect(growing.bodyBytes == media.count)
                let afterwards = try await Curl.get("\(nginx.http)/live/show/2.ts")
                #expect(afterwards.body == media && afterwards.headers["x-cache"] == "HIT")

                // Cut: without an end, and never kept.
                let broken = try await GrowingUpload("/live/show/3.ts", at: origin.port)
                await broken.send(Array(media[..<50_000]))
                try await broken.untilServed()
                let (counts, count) = AsyncStream.makeStream(of: Int.self)
                async let cut = ObjectReading.read("/live/show/3.ts", at: nginx.port, expecting: object) {
                    count.yield($0)
                }
                // Of what comes at once nginx keeps back what does not fill a buffer, until more comes.
                try await counts.wait { $0 > 40_000 }
                await broken.breakOff()
                let truncated = try await cut
                #expect(truncated.status == 200 && !truncated.hasEnded && truncated.bodyBytes == 50_000)
                #expect(try await Curl.get("\(nginx.http)/live/show/3.ts").status == 404)
                try await origin.upload("/live/show/3.ts", media)
                #expect(try await Curl.get("\(nginx.http)/live/show/3.ts").body == media)
            }
        }
    }

    /// A playlist that its uploader gives a policy of its own.
    private func upload(_ path: String, policy: String, to origin: Origin) async throws {
        #expect(
            try await origin.upload(path, CachedPlaylistTests.playlist(1), "Cache-Control: \(policy)")
                == "HTTP/1.1 201 Created")
    }

    @Test func `when the origin is gone, what is old comes only where stale-if-error allows it`() async throws {
        try await withOrigin(["--cache", "playlist=upstream"]) { origin in
            let recorder = try await OriginRecorder(inFrontOf: origin)
            try await withNginx(inFrontOf: recorder.port) { nginx in
                let rows = [
                    (path: "/live/a/a.m3u8", policy: "max-age=1, stale-if-error=600", status: 200, cache: "STALE"),
                    (path: "/live/b/b.m3u8", policy: "max-age=1", status: 502, cache: "EXPIRED"),
                    (path: "/live/c/c.m3u8", policy: "max-age=600", status: 200, cache: "HIT"),
                ]
                for row in rows {
                    try await upload(row.path, policy: row.policy, to: origin)
                    let response = try await Curl.get(nginx.http + row.path)
                    #expect(response.status == 200 && response.headers["cache-control"] == row.policy)
                }
                // While the origin is there, nothing old comes.
                try await Task.sleep(for: .milliseconds(2_100))
                for row in rows.prefix(2) {
                    #expect(try await Curl.get(nginx.http + row.path).headers["x-cache"] == "EXPIRED")
                }
                try await recorder.close()
                try await Task.sleep(for: .milliseconds(2_100))
                for row in rows {
                    let response = try await Curl.get(nginx.http + row.path)
                    #expect(response.status == row.status && response.headers["x-cache"] == row.cache, "\(row.policy)")
                }
            }
        }
    }
}
