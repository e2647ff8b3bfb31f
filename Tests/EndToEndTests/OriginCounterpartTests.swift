import FoundationEssentials
import Subprocess
import Testing

/// The origin with the programs that people upload, read and load it with.
@Suite struct OriginCounterpartTests {
    /// Runs a line of the shell to its end; gives its output.
    private func shell(_ line: String) async throws -> String {
        try await FFmpeg.run("bash", ["-o", "pipefail", "-c", line])
    }

    private static let picture = [
        "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30", "-c:v", "libx264", "-preset", "ultrafast", "-g", "30",
        "-bf", "0", "-sc_threshold", "0", "-pix_fmt", "yuv420p",
    ]

    /// How many frames ffmpeg finds.
    private func frames(_ url: String, _ options: [String] = []) async throws -> Int {
        let packets = try await FFmpeg.run(options + ["-i", url, "-map", "0:v", "-c", "copy", "-f", "framecrc", "-"])
            .output
        return packets.split(separator: "\n").count { !$0.hasPrefix("#") }
    }

    // MARK: ffmpeg

    @Test(arguments: ["0", "1"])
    func `ffmpeg publishes HLS by PUT, and removes what is old`(isPersistent: String) async throws {
        // It waits for no answer: on one thread its requests are taken as they come.
        try await withOrigin(["--threads", "1"]) { origin in
            let http = origin.http
            let playlist = "\(http)/live/show/index.m3u8"
            try await FFmpeg.run(
                Self.picture + [
                    "-t", "8", "-f", "hls", "-hls_time", "1", "-hls_list_size", "3", "-hls_flags", "delete_segments",
                    "-method", "PUT", "-http_persistent", isPersistent, playlist,
                ])
            let text = try await poll(for: "the playlist's end") {
                let text = try await Curl.get(playlist).text
                return text.contains("#EXT-X-ENDLIST") ? text : nil
            }
            let listed = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
            #expect(listed.count == 3)
            for segment in listed {
                let response = try await Curl.get("\(http)/live/show/\(segment)")
                #expect(response.status == 200)
                #expect(response.headers["content-type"] == "video/mp2t")
                #expect(response.headers["etag"] != nil)
            }
            try await poll(for: "index0.ts to be removed") {
                try await Curl.get("\(http)/live/show/index0.ts").status == 404 ? () : nil
            }
            #expect(try await frames(playlist) == 90)
        }
    }

    @Test func `ffmpeg reads a playlist that ffmpeg publishes meanwhile`() async throws {
        try await withOrigin { origin in
            let http = origin.http
            let playlist = "\(http)/live/show/index.m3u8"
            async let publishing: Void = {
                try await FFmpeg.run(
                    ["-re"] + Self.picture + [
                        "-t", "6", "-f", "hls", "-hls_time", "1", "-hls_list_size", "0", "-method", "PUT", playlist,
                    ])
            }()
            try await poll(for: playlist) { try await Curl.get(playlist).status == 200 ? () : nil }
            #expect(try await frames(playlist, ["-live_start_index", "0"]) == 180)
            try await publishing
        }
    }

    @Test func `ffmpeg publishes DASH, and who joins late gets what the stream began with`() async throws {
        try await withOrigin(["--unlisted-lifetime", "2s"]) { origin in
            let folder = "\(origin.http)/live/show"
            async let publishing: Void = {
                try await FFmpeg.run(
                    ["-re"] + Self.picture + [
                        "-t", "8", "-f", "dash", "-seg_duration", "1", "-window_size", "3", "-use_timeline", "0",
                        "-method", "PUT", "\(folder)/manifest.mpd",
                    ])
            }()
            for (chunk, status) in [("00007", 200), ("00001", 404)] {
                try await poll(for: "chunk \(chunk) to give \(status)") {
                    try await Curl.get("\(folder)/chunk-stream0-\(chunk).m4s").status == status ? () : nil
                }
            }
            // Sent once, before the first chunk.
            #expect(try await Curl.get("\(folder)/init-stream0.m4s").status == 200)
            try await publishing
        }
    }

    @Test(arguments: ["", "--http2-prior-knowledge"])
    func `ffmpeg reads an object while curl uploads it from a pipe`(version: String) async throws {
        try await withOrigin { origin in
            let http = origin.http
            let object = "\(http)/live/show/one.ts"
            let encoder = (["ffmpeg", "-v", "error", "-nostdin", "-re"] + Self.picture).joined(separator: " ")
            async let uploading = shell(
                "\(encoder) -t 10 -f mpegts -flush_packets 1 - | curl -sS \(version) -f -T - -w '%{http_code}' \(object)"
            )
            try await poll(for: object) { try await Curl.get(object, ["-I"]).status == 200 ? () : nil }
            let growing = try await Curl.get(object, ["-I"])
            #expect(growing.headers["content-length"] == nil)
            #expect(try await frames(object) == 300)
            #expect(try await uploading == "201")
            #expect(try await Curl.get(object, ["-I"]).headers["content-length"] != nil)
        }
    }

    // MARK: curl

    @Test(arguments: ["--http1.1", "--http2-prior-knowledge", "--http1.0"])
    func `curl uploads a file and a pipe, and gets them back to the byte`(version: String) async throws {
        try await withTemporaryFolder { folder in
            try await withOrigin { origin in
                let http = origin.http
                _ = try await shell("head -c 5000000 /dev/urandom > \(folder)/file")
                let told = "curl -sS -f \(version) -w '%{http_code}' -T \(folder)/file \(http)/a.bin"
                #expect(try await shell(told) == "201")
                #expect(try await shell(told) == "204")
                if version != "--http1.0" {
                    let piped = "cat \(folder)/file | curl -sS -f \(version) -w '%{http_code}' -T - \(http)/b.bin"
                    #expect(try await shell(piped) == "201")
                    _ = try await shell("curl -sS -f \(version) \(http)/b.bin | cmp - \(folder)/file")
                }
                _ = try await shell("curl -sS -f \(version) \(http)/a.bin | cmp - \(folder)/file")
                _ = try await shell(
                    "curl -sS -f \(version) -r 1000-1999 \(http)/a.bin | cmp - <(tail -c +1001 \(folder)/file | head -c 1000)"
                )
                // What a broken download resumes with.
                _ = try await shell(
                    "head -c 1000000 \(folder)/file > \(folder)/part; curl -sS -f \(version) -C - -o \(folder)/part \(http)/a.bin; cmp \(folder)/part \(folder)/file"
                )
                let code = try await shell("curl -sS \(version) -o /dev/null -w '%{http_code}' -X DELETE \(http)/a.bin")
                #expect(code == "200")
            }
        }
    }

    @Test func `curl speaks HTTP 2 by prior knowledge, and unpacks playlists`() async throws {
        try await withOrigin { origin in
            let http = origin.http
            let playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n" + (0..<50).map { "#EXTINF:1,\n\($0).ts\n" }.joined()
            let put =
                "printf '\(playlist.split(separator: "\n").joined(separator: "\\n"))\\n' | curl -sS -f -T - \(http)/a.m3u8"
            _ = try await shell(put)
            for version in ["--http1.1", "--http2-prior-knowledge"] {
                #expect(try await shell("curl -sS -f \(version) --compressed \(http)/a.m3u8") == playlist)
            }
            let seen = try await shell(
                "curl -sS --http2-prior-knowledge -o /dev/null -w '%{http_version} %{http_code}' \(http)/a.m3u8")
            #expect(seen == "2 200")
            // Without prior knowledge it offers an upgrade, which is no duty (RFC 9113 §3.1 has it no more).
            #expect(try await shell("curl -sS --http2 -o /dev/null -w '%{http_code}' \(http)/a.m3u8") == "200")
        }
    }

    // MARK: Load

    @Test func `h2load loses no request, over cleartext`() async throws {
        try await withOrigin { origin in
            let http = origin.http
            try await load(http)
        }
    }

    @Test func `h2load and curl lose no request, over TLS`() async throws {
        try await withEncryptedOrigin { origin, https in
            try await load(https)
            for (flag, version) in [("--http1.1", "1.1"), ("--http2", "2")] {
                let seen = try await shell(
                    "curl -sS -k \(flag) -o /dev/null -w '%{http_version} %{http_code}' \(https)/a.ts")
                #expect(seen == "\(version) 200")
            }
        }
    }

    /// As ffmpeg does; that it is heard must not hang on how soon the origin gets round to it.
    @Test func `who uploads over TLS and goes without an answer is heard, whoever else comes`() async throws {
        try await withEncryptedOrigin { origin, https in
            _ = try await shell("head -c 1000 /dev/zero | curl -sS -k -f -T - \(https)/b.ts")
            async let rush = shell("h2load -n 60000 -c 200 -m 100 \(https)/b.ts")
            for number in 0..<10 {
                _ = try await shell(
                    """
                    printf 'PUT /live/\(number).ts HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 3\\r\\n\\r\\nabc' | \
                    openssl s_client -quiet -no_ign_eof -connect 127.0.0.1:\(origin.port) 2>&1
                    """)
            }
            #expect(try await rush.contains(" 0 failed, 0 errored, 0 timeout"))
            for number in 0..<10 {
                try await poll(for: "upload \(number) to be there") {
                    try await shell("curl -sS -k \(https)/live/\(number).ts") == "abc" ? () : nil
                }
            }
        }
    }

    private func withEncryptedOrigin(_ body: (Origin, _ https: String) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            _ = try await shell(
                """
                openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
                -keyout \(folder)/key.pem -out \(folder)/certificate.pem 2>/dev/null
                """)
            let flags = ["--tls-certificate", "\(folder)/certificate.pem", "--tls-key", "\(folder)/key.pem"]
            try await withOrigin(flags) { try await body($0, "https://127.0.0.1:\($0.port)") }
        }
    }

    private func load(_ url: String) async throws {
        _ = try await shell("head -c 100000 /dev/zero | curl -sS -k -f -T - \(url)/a.ts")
        _ = try await shell("head -c 1000 /dev/zero | curl -sS -k -f -T - \(url)/b.ts")
        for options in [
            "-n 20000 -c 200 -m 100 \(url)/b.ts", "-n 2000 -c 20 -m 10 \(url)/a.ts", "-n 2000 -c 20 --h1 \(url)/a.ts",
        ] {
            let report = try await shell("h2load \(options)")
            let line = try #require(report.split(separator: "\n").first { $0.hasPrefix("requests:") })
            #expect(line.contains(" 0 failed, 0 errored, 0 timeout"), "\(options): \(line)")
            let codes = try #require(report.split(separator: "\n").first { $0.hasPrefix("status codes:") })
            #expect(codes.contains(" 0 3xx, 0 4xx, 0 5xx"), "\(codes)")
        }
    }

    @Test func `wrk finds no error`() async throws {
        try await withOrigin { origin in
            let http = origin.http
            _ = try await shell("head -c 100000 /dev/zero | curl -sS -f -T - \(http)/a.ts")
            let report = try await shell("wrk -t 2 -c 50 -d 2s --timeout 10s \(http)/a.ts")
            #expect(report.contains("Requests/sec"))
            #expect(!report.contains("Socket errors") && !report.contains("Non-2xx"), "\(report)")
        }
    }
}
