import FoundationEssentials
import TestSupport
import Testing

@Suite struct TransmuxTests {
    struct Source: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var video: [String]?
        var hasAudio: Bool
    }

    static let sources = [
        Source(testDescription: "video and audio", video: ["-g", "30", "-bf", "0"], hasAudio: true),
        Source(testDescription: "with B-frames", video: ["-g", "30", "-bf", "3", "-b_strategy", "0"], hasAudio: true),
        Source(testDescription: "audio only", video: nil, hasAudio: true),
        Source(testDescription: "video only", video: ["-g", "30", "-bf", "0"], hasAudio: false),
    ]

    @Test(arguments: sources)
    func `every frame an encoder sends is received once and in order`(_ source: Source) async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/source.flv"
            try await FFmpeg.makeSource(file, seconds: 7, video: source.video, hasAudio: source.hasAudio)
            try await withServices(ingest: ["--resume-window", "1s"]) { services in
                let follower = try await services.publishAndFollow(file, "live/stream")
                try await check(follower, against: file, in: folder, source)
            }
        }
    }

    @Test func `two encoders at once do not get in each other's way`() async throws {
        try await withTemporaryFolder { folder in
            let (first, second) = ("\(folder)/first.flv", "\(folder)/second.flv")
            try await FFmpeg.makeSource(first, seconds: 6)
            try await FFmpeg.makeSource(second, seconds: 6, video: ["-g", "60", "-bf", "0"])
            try await withServices(ingest: ["--resume-window", "1s"]) { services in
                async let one = services.publishAndFollow(first, "live/first")
                async let two = services.publishAndFollow(second, "studio/b/second")
                try await check(one, against: first, in: folder, Self.sources[0])
                try await check(two, against: second, in: folder, Self.sources[0])
            }
        }
    }

    private func check(
        _ follower: Follower, against file: String, in folder: String, _ source: Source
    ) async throws {
        let received = "\(folder)/\(UUID().uuidString).ts"
        try Data(follower.bytes).write(to: URL(filePath: received))
        if source.video != nil {
            let sent = try await FFmpeg.frames(file, track: "v")
            #expect(sent.count > 100)
            let got = try await FFmpeg.frames(received, track: "v")
            #expect(got == sent)
        }
        if source.hasAudio {
            let sent = try await FFmpeg.frames(file, track: "a")
            let got = try await FFmpeg.frames(received, track: "a")
            #expect(got == sent)
        }
        let streams = follower.segments.map { TransportStream($0.bytes) }
        let outOfSync = streams.flatMap(\.packets).count { !$0.isInSync }
        #expect(outOfSync == 0)
        let wrongBeginnings = streams.count { !$0.beginsWithTablesAndKeyframe }
        #expect(wrongBeginnings == 0)
        #expect(TransportStream(follower.bytes).discontinuities == 0)
        #expect(Set(follower.segments.map(\.uri)).count == follower.segments.count)
        var history = PlaylistHistory(announced: 3)
        for version in follower.versions { try history.record(version) }
        #expect(history.last?.hasEnded == true)
    }
}

extension Services {
    /// Publishes a file at media speed and reads everything back while that goes on.
    func publishAndFollow(_ file: String, _ stream: String) async throws -> Follower {
        async let publishing: Void = FFmpeg.publish(file, to: "\(rtmp)/\(stream)")
        _ = try await ingestLog.line(with: "broadcast started broadcast.id")
        var follower = Follower()
        try await follower.follow("\(http)/\(stream)/source.m3u8")
        try await publishing
        return follower
    }
}
