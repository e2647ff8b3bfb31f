import TestSupport
import Testing

@Suite struct KeyframeIntervalTests {
    static let sources = [
        ("every 8 s", ["-g", "240", "-bf", "0"], 30),
        ("irregular", ["-g", "900", "-bf", "0", "-force_key_frames", "0,0.7,2.5,3,6.2,7,13,13.4,20"], 26),
    ]

    @Test(arguments: sources)
    func `target duration holds for every version of the playlist, and playback goes on`(
        _ name: String, _ video: [String], _ seconds: Int
    ) async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/source.flv"
            try await FFmpeg.makeSource(file, seconds: seconds, video: video)
            let sink = try await PlaylistSink()
            try await withServices(ingest: ["--origin", sink.url, "--resume-window", "1s"]) { services in
                async let reading = services.readPackets("live/stream")
                let follower = try await services.publishAndFollow(file, "live/stream")
                #expect(follower.segments.count >= 3)
                let advice = try await services.ingestLog.line(with: "keyframe interval is longer")
                #expect(advice.contains("set the encoder's keyframe interval"))
                #expect(services.ingestLog.lines.filter { $0.contains("keyframe interval is longer") }.count == 1)
                try await follower.write(to: "\(folder)/received.ts")
                let sent = try await FFmpeg.frames(file, track: "v")
                let received = try await FFmpeg.frames("\(folder)/received.ts", track: "v")
                #expect(sent.count == seconds * 30)
                #expect(received == sent)
                // From the first segment on, however late it began.
                let packets = try await reading
                #expect(packets > sent.count * 9 / 10)
            }
            var history = PlaylistHistory(announced: 3)
            for version in sink.versions(of: "/live/stream/source.m3u8") { try history.record(version) }
            #expect(history.raises == 1)
            #expect(history.last?.hasEnded == true)
            try await sink.close()
        }
    }
}
