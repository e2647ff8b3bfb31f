import FoundationEssentials
import Glibc
import NIOCore
import Subprocess
import Testing

/// The origin as its operator has it: killed, told to stop, told to read its files again, started wrongly.
@Suite struct OriginProcessTests {
    private static let path = "/live/show/6.ts"
    private static let media = CachedSegmentTests.media(50_000)

    // MARK: Killed

    /// What is served of a path, as a client may keep it.
    private struct Served: Equatable {
        let status: Int
        let entityTag: String?
        let lastModified: String?
        let body: [UInt8]

        init(_ path: String, _ origin: Origin) async throws {
            let response = try await Curl.get(origin.http + path)
            status = response.status
            entityTag = response.headers["etag"]
            lastModified = response.headers["last-modified"]
            body = response.body
        }
    }

    @Test func `an origin that is killed has its window again at once, with the same tags and bytes`() async throws {
        let segments = (0..<6).map { "/live/show/\($0).ts" }
        let lists = ["/live/show/source.m3u8", "/live/show/playlist.m3u8"]
        let media = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n" + (0..<6).map { "#EXTINF:1,\n\($0).ts\n" }.joined()
        let multivariant = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nsource.m3u8\n"
        try await withTemporaryFolder { folder in
            let directory = ["--data-dir", "\(folder)/data"]
            let before = try await withOrigin(directory, end: .byItself(.signaled(SIGKILL))) { origin in
                for (number, path) in segments.enumerated() {
                    try await origin.upload(path, CachedSegmentTests.media(50_000 + number))
                }
                for (path, text) in zip(lists, [media, multivariant]) {
                    try await origin.upload(path, Array(text.utf8))
                }
                let growing = try await GrowingUpload(Self.path, at: origin.port)
                await growing.send(Self.media)
                try await growing.untilServed()
                let served = try await (segments + lists).asyncMap { try await Served($0, origin) }
                // Written behind: that is when it counts as kept.
                _ = try await Metrics.at(origin.admin, when: "headwater_origin_data_objects_written_total", is: 8)
                origin.send(SIGKILL)
                return served
            }
            #expect(before.allSatisfy { $0.status == 200 && $0.entityTag != nil && $0.lastModified != nil })
            try await withOrigin(directory) { origin in
                let after = try await (segments + lists).asyncMap { try await Served($0, origin) }
                #expect(after == before)
                #expect(try await Served(Self.path, origin).status == 404)
            }
        }
    }

    // MARK: Told to read its files again

    @Test func `on SIGHUP the new tokens hold, and connections and uploads stay`() async throws {
        try await withTemporaryFolder { folder in
            let files = try AccessFiles(in: folder)
            let new = "new-0123456789abcdef"
            let (former, latter) = (AccessFiles.bearer(AccessFiles.token), AccessFiles.bearer(new))
            try await withOrigin(["--publish-token-file", files.tokens]) { origin in
                let kept = try await RawConnection(port: origin.port)
                let put = "PUT /live/show/0.ts HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
                await kept.send(Array("\(put)\(former)\r\n\r\nx".utf8))
                let upload = try await GrowingUpload(Self.path, at: origin.port, [former])
                await upload.send(Self.media)
                try await upload.untilServed()
                try await poll(for: "the answer under the former token") {
                    String(decoding: kept.received, as: UTF8.self).hasPrefix("HTTP/1.1 201 ") ? () : nil
                }

                try files.write("\(new)\n", to: files.tokens)
                origin.send(SIGHUP)
                _ = try await origin.log.line(with: "files read again")
                let request = RawRequest.put("/live/show/1.ts", "x", former)
                #expect(try await request.send(to: origin.port) == 401)
                #expect(try await RawRequest.put("/live/show/1.ts", "x", latter).send(to: origin.port) == 201)
                await kept.send(Array("\(put)Connection: close\r\n\(latter)\r\n\r\ny".utf8))
                let answers = String(decoding: try await kept.untilClosed(), as: UTF8.self)
                #expect(answers.hasPrefix("HTTP/1.1 201 ") && answers.contains("\r\n\r\nHTTP/1.1 204 "))
                #expect(try await upload.finish() == "HTTP/1.1 201 Created")
            }
        }
    }

    // MARK: Told to stop

    /// A reader that has the first bytes of an upload, told to `body` with it.
    private func withReader(
        _ flags: [String], end: ProgramEnd, _ body: (Origin, GrowingUpload) async throws -> Void
    ) async throws -> ObjectReading {
        try await withOrigin(flags, end: end) { origin in
            let upload = try await GrowingUpload(Self.path, at: origin.port)
            await upload.send(Array(Self.media[..<1_000]))
            try await upload.untilServed()
            let (counts, count) = AsyncStream.makeStream(of: Int.self)
            async let reading = ObjectReading.read(
                Self.path, at: origin.port, expecting: ByteBuffer(bytes: Self.media)
            ) { count.yield($0) }
            try await counts.wait { $0 == 1_000 }
            try await body(origin, upload)
            return try await reading
        }
    }

    @Test func `told to stop, it is not ready, and what grows comes to its end`() async throws {
        let reading = try await withReader(["--drain-limit", "1m"], end: .byItself(.exited(0))) { origin, upload in
            #expect(try await Curl.get("\(origin.admin)/readyz").status == 200)
            origin.send(SIGTERM)
            _ = try await origin.log.line(with: "info draining")
            #expect(try await Curl.get("\(origin.admin)/readyz").status == 503)
            #expect(try await Curl.get("\(origin.admin)/healthz").status == 200)
            // Curl's own words for a port that is closed.
            #expect(try await Curl.get("\(origin.http)\(Self.path)").exitCode == 7)
            await upload.send(Array(Self.media[1_000...]))
            #expect(try await upload.finish() == "HTTP/1.1 201 Created")
        }
        #expect(reading.hasEnded && reading.isAsExpected && reading.bodyBytes == Self.media.count)
    }

    @Test func `told to stop again, it ends at once, and what was open is cut`() async throws {
        let reading = try await withReader(["--drain-limit", "1h"], end: .byItself(.exited(1))) { origin, _ in
            origin.send(SIGTERM)
            _ = try await origin.log.line(with: "info draining")
            // One that comes within half a second counts as the same.
            try await Task.sleep(for: .milliseconds(700))
            origin.send(SIGTERM)
            _ = try await origin.log.line(with: "critical stopped at once by another signal")
        }
        #expect(!reading.hasEnded && reading.bodyBytes == 1_000)
    }

    // MARK: Started wrongly

    /// The status it ends with by itself, and what it says.
    private func end(_ flags: [String]) async throws -> (status: TerminationStatus, text: String) {
        try await endOfService(
            "headwater-origin", ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"] + flags)
    }

    @Test(arguments: [
        "publish-token-file", "signing-key-file", "cors-file", "tls-certificate", "tls-key", "publish-client-ca",
    ])
    func `a file of secrets or rules that cannot be used is a wrong setting`(setting: String) async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/file"
            try Data("(not-what-it-should-be)".utf8).write(to: URL(filePath: file))
            let flags =
                switch setting {
                case "tls-certificate": ["--tls-certificate", file, "--tls-key", file]
                case "tls-key", "publish-client-ca":
                    try await AccessFiles.certificate(in: folder) + [
                        "--publish-listen", "127.0.0.1:0", "--\(setting)", file,
                    ]
                default: ["--\(setting)", file]
                }
            let (status, text) = try await end(flags)
            #expect(status == .exited(64))
            #expect(text.contains(file) && !text.contains("not-what-it-should-be"), "\(text)")
        }
    }

    @Test func `a data directory that cannot be used, and an address that is taken, are failures`() async throws {
        try await withTemporaryFolder { folder in
            try Data().write(to: URL(filePath: "\(folder)/file"))
            let (status, text) = try await end(["--data-dir", folder])
            #expect(status == .exited(1))
            #expect(text.contains("has something else in it"))
        }
        try await withOrigin { origin in
            let (status, text) = try await end(["--publish-listen", "127.0.0.1:\(origin.port)"])
            #expect(status == .exited(1))
            #expect(text.contains("another program listens there"))
        }
    }
}

extension Sequence {
    fileprivate func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
