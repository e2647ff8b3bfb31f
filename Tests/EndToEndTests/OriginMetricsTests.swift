import FoundationEssentials
import NIOCore
import Testing

/// What the origin's `/metrics` tells of objects, readers and uploads; of refusals, ``OriginRefusalTests``.
@Suite struct OriginMetricsTests {
    private static let path = "/live/show/1.ts"
    private static let list = "/live/show/a.m3u8"
    private static let playlist = Array("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n1.ts\n#EXTINF:1,\n2.ts\n".utf8)

    /// A reader of the object, that has to come to its end or not.
    private func read(_ path: String, _ origin: Origin, _ media: [UInt8]) async throws -> ObjectReading {
        try await ObjectReading.read(path, at: origin.port, expecting: ByteBuffer(bytes: media))
    }

    /// Waits until so much of media is counted beside the playlist.
    private func untilReceived(_ count: Int, _ origin: Origin) async throws {
        _ = try await Metrics.at(
            origin.admin, when: "headwater_origin_received_bytes_total", is: Double(Self.playlist.count + count))
    }

    @Test func `an object and its readers are counted while it grows and when it is complete`() async throws {
        let media = CachedSegmentTests.media(50_000)
        try await withOrigin { origin in
            let admin = origin.admin
            #expect(try await origin.upload(Self.list, Self.playlist) == "HTTP/1.1 201 Created")
            // What is announced counts.
            _ = try await Metrics.at(admin, when: "headwater_origin_objects", is: 2)
            let upload = try await GrowingUpload(Self.path, at: origin.port)
            await upload.send(Array(media[..<20_000]))
            try await untilReceived(20_000, origin)
            async let readings = withThrowingTaskGroup(of: ObjectReading.self) { group in
                for _ in 0..<3 { group.addTask { try await read(Self.path, origin, media) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let growing = try await Metrics.at(admin, when: "headwater_origin_viewers", is: 3)
            #expect(growing["headwater_origin_playlists"] == 1)
            #expect(growing["headwater_origin_connections"] == 4)
            #expect(try #require(growing["headwater_origin_memory_held_bytes"]) > 20_000)
            #expect(growing[#"headwater_origin_media_age_seconds_count{byte="last"}"#] == 0)
            await upload.send(Array(media[20_000...]))
            #expect(try await upload.finish() == "HTTP/1.1 201 Created")
            #expect(try await readings.allSatisfy { $0.hasEnded && $0.isAsExpected && $0.bodyBytes == media.count })
            #expect(try await read(Self.path, origin, media).hasEnded)
            let complete = try await Metrics.at(admin, when: "headwater_origin_viewers", is: 0)
            #expect(complete["headwater_origin_received_bytes_total"] == Double(Self.playlist.count + media.count))
            // Four have had its first byte, and three have followed it to its last.
            #expect(complete[#"headwater_origin_media_age_seconds_count{byte="first"}"#] == 4)
            #expect(complete[#"headwater_origin_media_age_seconds_count{byte="last"}"#] == 3)
            #expect(complete[#"headwater_origin_media_age_seconds_bucket{byte="last",le="+Inf"}"#] == 3)
            #expect(complete[#"headwater_origin_requests_total{route="segment",status="200"}"#] == 4)
            #expect(complete[#"headwater_origin_requests_total{route="upload",status="201"}"#] == 2)
            #expect(try #require(complete["headwater_origin_memory_held_bytes"]) > 50_000)
            for reason in ["aborted", "stalled", "held"] {
                #expect(complete["headwater_origin_readers_cut_total{reason=\"\(reason)\"}"] == 0)
            }
        }
    }

    @Test func `what breaks off, is waited for in vain, or is over, is counted`() async throws {
        let media = CachedSegmentTests.media(50_000)
        let times = [
            "--upload-resume-window", "100ms", "--hold-limit", "300ms", "--hold-missing", "100ms",
            "--unlisted-lifetime", "100ms",
        ]
        try await withOrigin(times) { origin in
            let admin = origin.admin
            try await origin.upload(Self.list, Self.playlist)
            let upload = try await GrowingUpload(Self.path, at: origin.port)
            await upload.send(Array(media[..<20_000]))
            // Until then it is announced alone, and its readers are cut at the hold limit.
            try await untilReceived(20_000, origin)
            async let reading = read(Self.path, origin, media)
            _ = try await Metrics.at(admin, when: "headwater_origin_viewers", is: 1)
            await upload.breakOff()
            #expect(try await reading.hasEnded == false)
            var metrics = try await Metrics.at(admin, when: "headwater_origin_objects_aborted_total", is: 1)
            #expect(metrics["headwater_origin_uploads_broken_total"] == 1)
            #expect(metrics[#"headwater_origin_readers_cut_total{reason="aborted"}"#] == 1)

            #expect(try await read("/live/show/2.ts", origin, media).hasEnded == false)
            metrics = try await Metrics(at: admin)
            #expect(metrics[#"headwater_origin_readers_cut_total{reason="held"}"#] == 1)
            #expect(metrics["headwater_origin_holds_total"] == 0)

            #expect(try await RawRequest.get("/live/show/none.ts").send(to: origin.port) == 404)
            #expect(try await Metrics(at: admin)["headwater_origin_holds_total"] == 1)

            try await origin.upload("/live/other/1.ts", media)
            _ = try await Metrics.at(admin, when: "headwater_origin_objects_expired_total", is: 1)
        }
    }

    @Test func `who asks for much and leaves without reading is neither sent it nor counted as if`() async throws {
        let count = 32 << 20
        try await withOrigin { origin in
            try await origin.upload(Self.path, [UInt8](repeating: 1, count: count))
            let request = Array("GET \(Self.path) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
            var connections: [RawConnection] = []
            for _ in 0..<4 {
                let connection = try await RawConnection(port: origin.port, reads: false)
                await connection.send((0..<10).flatMap { _ in request })
                connections.append(connection)
            }
            // All are there, and the first request of each is being answered.
            for series: Substring in [
                "headwater_origin_connections", #"headwater_origin_requests_total{route="segment",status="200"}"#,
            ] {
                _ = try await Metrics.at(origin.admin, when: series, is: 4)
            }
            for connection in connections { await connection.close() }
            let metrics = try await Metrics.at(origin.admin, when: "headwater_origin_connections", is: 0)
            // No more than was in their sockets when they left.
            #expect(try #require(metrics["headwater_origin_sent_bytes_total"]) < Double(4 * count))
        }
    }

    // MARK: What the documentation says

    private static func documentation(_ name: String) throws -> String {
        let root = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return String(decoding: try Data(contentsOf: root.appending(path: "docs/\(name)")), as: UTF8.self)
    }

    @Test func `the documentation tells every metric and label there is, and no other metric`() async throws {
        let metrics = try await withTemporaryFolder { folder in
            try await withOrigin(["--data-dir", folder]) { try await Metrics(at: $0.admin) }
        }
        let operations = try Self.documentation("operations.md")
        let words = operations.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
        let documented = Set(words.filter { $0.hasPrefix("headwater_origin_") && $0 != "headwater_origin_" })
            .subtracting(["headwater_origin_media_age_seconds_bucket"])
        let printed = Set(metrics.families.map { Substring($0) })
        #expect(printed.subtracting(documented) == ["headwater_metrics_dropped_series_total"])
        #expect(documented.subtracting(printed) == [])
        #expect(operations.contains("`headwater_metrics_dropped_series_total`"))
        for (label, family) in [
            ("route", "headwater_origin_requests_total"), ("reason", "headwater_origin_readers_cut_total"),
            ("reason", "headwater_origin_data_objects_dropped_total"),
            ("byte", "headwater_origin_media_age_seconds_sum"),
        ] {
            let values = metrics.values(of: label, in: family)
            #expect(!values.isEmpty)
            for value in values { #expect(operations.contains("`\(value)`"), "\(label) \(value)") }
        }
    }

    @Test func `the contract tells every reason of a refusal with its status`() async throws {
        let metrics = try await withOrigin { try await Metrics(at: $0.admin) }
        let reasons = metrics.values(of: "reason", in: "headwater_origin_refusals_total")
        #expect(reasons.count > 15)
        let rows = try Self.documentation("push-contract.md").split(separator: "\n").filter {
            $0.hasPrefix("| 4") || $0.hasPrefix("| 5") || $0.hasPrefix("| none")
        }
        for reason in reasons { #expect(rows.contains { $0.contains("| `\(reason)`") }, "\(reason)") }
    }
}
