import FoundationEssentials
import Subprocess
import TestSupport
import Testing

@Suite struct ReconnectTests {
    static let reconnects = 10

    @Test(.timeLimit(.minutes(5)))
    func `playback goes on when the encoder is killed and comes back, ten times over`() async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/source.flv"
            try await FFmpeg.makeSource(file, seconds: 60)
            let sink = try await PlaylistSink()
            try await withServices(ingest: ["--origin", sink.url, "--resume-window", "20s"]) { services in
                let url = "\(services.rtmp)/live/stream"
                async let reading = services.readPackets("live/stream")
                for round in 0...Self.reconnects {
                    if round > 0 { try await Task.sleep(for: .seconds(5)) }  // the outage itself
                    try await services.publish(file, to: url) {
                        if round == 0 {
                            _ = try await services.ingestLog.line(with: "broadcast started broadcast.id")
                        } else {
                            _ = try await services.ingestLog.line(with: "broadcast resumed", count: round)
                        }
                        try await Task.sleep(for: .milliseconds(3_400))  // how long the encoder lives
                    }
                    _ = try await services.ingestLog.line(with: "publisher left resume.window", count: round + 1)
                }
                _ = try await services.ingestLog.line(with: "broadcast ended")
                let packets = try await reading
                // Of what the encoder sends in a second, 30 are pictures and 46.875 are audio frames.
                let units = try await services.metric(
                    "headwater_ingest_access_units_total", at: services.ingestMetrics)
                let sent = units * 30 / (30 + 46.875)
                #expect(sent > 800)
                // The player began with the first segment. Rounds end anywhere between sound and picture; a lost one is
                // some 90 pictures.
                #expect(Double(packets) > sent - 75)
                let resumptions = try await services.metric(
                    "headwater_ingest_resumptions_total", at: services.ingestMetrics)
                #expect(resumptions == Double(Self.reconnects))
            }
            let versions = sink.versions(of: "/live/stream/source.m3u8")
            var history = PlaylistHistory(announced: 3)
            for version in versions { try history.record(version) }
            #expect(history.last?.hasEnded == true)
            #expect(versions.contains { $0.contains("#EXT-X-DISCONTINUITY\n") })
            let first = try #require(history.first)
            let last = try #require(history.last)
            #expect(
                last.discontinuitySequence + last.entries.count { $0.isDiscontinuous } - first.discontinuitySequence
                    == Self.reconnects)
            let segments = sink.paths.filter { $0.hasSuffix(".ts") }
            #expect(Set(segments).count == segments.count)
            try await sink.close()
        }
    }

    @Test func `a second publisher takes a live stream over, and the broadcast goes on`() async throws {
        try await withTemporaryFolder { folder in
            let (long, file) = ("\(folder)/long.flv", "\(folder)/source.flv")
            try await FFmpeg.makeSource(long, seconds: 60)
            try await FFmpeg.makeSource(file, seconds: 8)
            try await withServices(ingest: ["--resume-window", "1s"]) { services in
                let url = "\(services.rtmp)/live/stream"
                async let first = FFmpeg.isPublished(long, to: url)
                _ = try await services.ingestLog.line(with: "broadcast started broadcast.id")
                try await services.waitForPlaylist("live/stream")
                async let second: Void = FFmpeg.publish(file, to: url)
                _ = try await services.ingestLog.line(with: "publisher taken over")
                try await second
                #expect(await !first)
                _ = try await services.ingestLog.line(with: "broadcast ended")
                try await poll(for: "the playlist's end") {
                    let playlist = try await Curl.get("\(services.http)/live/stream/source.m3u8").text
                    return playlist.contains("#EXT-X-ENDLIST") ? () : nil
                }
            }
        }
    }

    @Test func `a second publisher is refused where the operator wants that`() async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/source.flv"
            try await FFmpeg.makeSource(file, seconds: 15)
            try await withServices(ingest: ["--on-conflict", "refuse"]) { services in
                let url = "\(services.rtmp)/live/stream"
                async let first: Void = FFmpeg.publish(file, to: url)
                _ = try await services.ingestLog.line(with: "broadcast started broadcast.id")
                let refusal = await #expect(throws: FFmpeg.Failure.self) { try await FFmpeg.publish(file, to: url) }
                #expect(refusal?.description.contains("already being published") == true)
                try await first
            }
        }
    }
}

extension Services {
    /// Publishes for as long as the body takes, then kills the encoder as a power cut would.
    func publish(_ file: String, to url: String, _ body: () async throws -> Void) async throws {
        let arguments: Arguments = ["-v", "error", "-nostdin", "-re", "-i", file, "-c", "copy", "-f", "flv", url]
        _ = try await run(.name("ffmpeg"), arguments: arguments, input: .none, output: .discarded, error: .discarded) {
            execution in
            try await body()
            try execution.send(signal: .kill)
        }
    }
}
