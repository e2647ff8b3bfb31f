import Testing

/// What the origin refuses: the status that is answered, and the counters that tell it.
@Suite struct OriginRefusalTests {
    struct Row: Sendable {
        let request: RawRequest
        let status: Int
        let route: String
        /// Nil for what is answered so and no refusal.
        let reason: String?

        init(_ request: RawRequest, _ status: Int, _ route: String, _ reason: String?) {
            self.request = request
            self.status = status
            self.route = route
            self.reason = reason
        }

        /// What is to be counted for it.
        var counts: [String: Double] {
            var counts = ["headwater_origin_requests_total{route=\"\(route)\",status=\"\(status)\"}": 1.0]
            if let reason { counts["headwater_origin_refusals_total{reason=\"\(reason)\"}"] = 1 }
            return counts
        }
    }

    private static let families = ["headwater_origin_requests_total", "headwater_origin_refusals_total"]
    private static let token = AccessFiles.bearer(AccessFiles.token)
    private static let playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n"

    /// Small enough to be met; errors are rare but for the end.
    private static let limits = [
        "--header-limit", "4KiB", "--object-limit", "1MiB", "--memory-limit", "1MiB", "--stream-object-limit", "4",
        "--connections-per-address", "8", "--error-rate", "2", "--upload-timeout", "8s",
    ]

    private static func rows(signature: String) -> [Row] {
        [
            Row(.put("/live/a/1.ts", "x"), 401, "upload", "token"),
            Row(.put("/live/a/1.ts", "x", AccessFiles.bearer("no-token-0123456789")), 401, "upload", "token"),
            Row(.put("/live/a/1.ts", "x", AccessFiles.bearer(AccessFiles.showToken)), 403, "upload", "token"),
            Row(RawRequest(line: "DELETE /live/a/1.ts"), 401, "delete", "token"),
            Row(.get("/live/a/there.ts"), 403, "other", "signature"),
            Row(.get("/live/a/none.ts?\(signature)"), 404, "missing", nil),
            Row(.get("/live/a/there.ts?\(signature)", "Range: bytes=999-"), 416, "segment", nil),
            Row(.get("/live/a/there.ts?\(signature)"), 200, "segment", nil),
            Row(RawRequest(line: "PATCH /live/a/1.ts"), 405, "other", "method"),
            Row(.get("/live/../a.ts"), 400, "other", "path"),
            Row(.get("/" + String(repeating: "a", count: 2_000)), 414, "other", "path"),
            Row(.put("/live/a/1.ts", "x", token, "Headwater-Epoch: x"), 400, "upload", "malformed"),
            Row(.put("/live/a/1.ts", "x", token, "Headwater-Epoch: 1"), 409, "upload", "epoch"),
            Row(.put("/live/a/1.ts", "x", token, "Content-Encoding: gzip"), 415, "upload", "malformed"),
            Row(.put("/live/a/there.ts", "x", token, "If-None-Match: *"), 412, "upload", "precondition"),
            Row(.put("/live/a/a.m3u8", "no playlist", token), 400, "upload", "playlist"),
            Row(
                RawRequest(line: "PUT /live/a/1.ts", fields: [token, "Content-Length: 1048577"]), 413, "upload",
                "size"),
            Row(.put("/live/b/1.ts", String(repeating: "x", count: 700_000), token), 507, "upload", "memory"),
            Row(.put("/live/full/4.m3u8", playlist, token), 507, "upload", "objects"),
            Row(
                RawRequest(line: "PUT /live/a/2.ts", fields: [token, "Content-Length: 9"], body: "begin"), 408,
                "upload", "slow"),
            Row(
                .get("/live/a/there.ts", "X: " + String(repeating: "a", count: 5_000)), 431, "other", "malformed"),
            Row(RawRequest(line: "BREW /pot"), 501, "other", "malformed"),
            Row(RawRequest(line: "GET /a.ts", version: "HTTP/3.0"), 505, "other", "malformed"),
        ]
    }

    @Test func `each refusal has its status and its counter, and no other counts it`() async throws {
        try await withTemporaryFolder { folder in
            let signature = try await AccessFiles.signature(for: "/live/a/")
            try await withOrigin(try AccessFiles(in: folder).flags + Self.limits) { origin in
                let there = ["/live/a/there.ts"] + (0..<4).map { "/live/full/\($0).m3u8" }
                for path in there {
                    let upload = RawRequest.put(path, Self.playlist, Self.token, "Headwater-Epoch: 2")
                    #expect(try await upload.send(to: origin.port) == 201)
                }
                var metrics = try await Metrics(at: origin.admin)
                for row in Self.rows(signature: signature) {
                    #expect(try await row.request.send(to: origin.port) == row.status, "\(row.request.line.prefix(60))")
                    let after = try await Metrics(at: origin.admin)
                    #expect(after.counted(since: metrics, in: Self.families) == row.counts)
                    metrics = after
                }
                try await overtake(origin)
                try await crowd(origin)
                try await err(origin, signature)
            }
        }
    }

    @Test func `who does not get past the handshake is counted, whatever was wrong`() async throws {
        try await withTemporaryFolder { folder in
            let encryption = try await AccessFiles.certificate(in: folder)
            let publishing = ["--publish-listen", "127.0.0.1:0", "--publish-client-ca", "\(folder)/certificate.pem"]
            try await withOrigin(encryption + publishing) { origin in
                let before = try await Metrics(at: origin.admin)
                let player = try await Curl.get("https://127.0.0.1:\(origin.port)/a.ts", ["-k"])
                #expect(player.status == 404)
                let plain = try await RawConnection(port: origin.port)
                await plain.send(Array("GET / HTTP/1.1\r\n\r\n".utf8))
                _ = try await plain.untilClosed()
                let address = try await origin.log.value("address", ofLine: "publish=true")
                let stranger = try await Curl.get("https://\(address)/a.ts", ["-k", "-T", "\(folder)/key.pem"])
                #expect(stranger.status == 0)
                let series: Substring = #"headwater_origin_refusals_total{reason="handshake"}"#
                let after = try await Metrics.at(origin.admin, when: series, is: 2)
                #expect(
                    after.counted(since: before, in: Self.families) == [
                        String(series): 2, #"headwater_origin_requests_total{route="missing",status="404"}"#: 1,
                    ])
            }
        }
    }

    /// The newer of two uploads holds.
    private func overtake(_ origin: Origin) async throws {
        let received: Substring = "headwater_origin_received_bytes_total"
        let bytes = try #require(try await Metrics(at: origin.admin)[received])
        let older = try await GrowingUpload("/live/a/3.ts", at: origin.port, [Self.token])
        await older.send([0])
        let before = try await Metrics.at(origin.admin, when: received, is: bytes + 1)
        #expect(try await RawRequest.put("/live/a/3.ts", "x", Self.token).send(to: origin.port) == 201)
        await older.send([1])
        #expect(try await older.finish() == "HTTP/1.1 412 Precondition Failed")
        #expect(
            try await Metrics(at: origin.admin).counted(since: before, in: Self.families) == [
                #"headwater_origin_requests_total{route="upload",status="201"}"#: 1,
                #"headwater_origin_requests_total{route="upload",status="412"}"#: 1,
                #"headwater_origin_refusals_total{reason="superseded"}"#: 1,
            ])
    }

    /// One connection more than an address may have.
    private func crowd(_ origin: Origin) async throws {
        _ = try await Metrics.at(origin.admin, when: "headwater_origin_connections", is: 0)
        var connections: [RawConnection] = []
        for _ in 0..<8 { connections.append(try await RawConnection(port: origin.port)) }
        let before = try await Metrics.at(origin.admin, when: "headwater_origin_connections", is: 8)
        let answer = try await RawConnection(port: origin.port).untilClosed()
        #expect(String(decoding: answer, as: UTF8.self).hasPrefix("HTTP/1.1 503 "))
        #expect(
            try await Metrics(at: origin.admin).counted(since: before, in: Self.families) == [
                #"headwater_origin_refusals_total{reason="connections"}"#: 1
            ])
        for connection in connections { await connection.close() }
        _ = try await Metrics.at(origin.admin, when: "headwater_origin_connections", is: 0)
    }

    /// More errors than an address may make.
    private func err(_ origin: Origin, _ signature: String) async throws {
        let missing = RawRequest.get("/live/a/none.ts?\(signature)")
        let before = try await Metrics(at: origin.admin)
        var errors = 0.0
        while errors < 1_000, try await missing.send(to: origin.port) == 404 { errors += 1 }
        let metrics = try await Metrics(at: origin.admin)
        var counts = [
            #"headwater_origin_requests_total{route="missing",status="429"}"#: 1.0,
            #"headwater_origin_refusals_total{reason="errors"}"#: 1.0,
        ]
        if errors > 0 { counts[#"headwater_origin_requests_total{route="missing",status="404"}"#] = errors }
        #expect(metrics.counted(since: before, in: Self.families) == counts)
    }
}
