import FoundationEssentials
import NIOCore
import Testing

@Suite struct LivePlaybackTests {
    @Test func `ffmpeg reads the live playlist for half a minute without a warning`() async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/source.flv"
            try await FFmpeg.makeSource(file, seconds: 60)
            try await withServices { services in
                async let publishing: Void = FFmpeg.publish(file, to: "\(services.rtmp)/live/stream")
                try await services.waitForPlaylist("live/stream")
                async let probing = services.probe("live/stream")
                let messages = try await FFmpeg.run([
                    "-i", "\(services.http)/live/stream/playlist.m3u8", "-t", "30", "-c", "copy", "-f", "null", "-",
                ]).messages
                #expect(messages == "")
                let probe = try await probing
                #expect(probe.contains("h264,320,180") && probe.contains("aac"))
                try await publishing
            }
        }
    }

    @Test func `a segment's first bytes arrive before its last are produced`() async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/source.flv"
            try await FFmpeg.makeSource(file, seconds: 10, video: ["-g", "60", "-bf", "0"])
            // In the middle of the third segment, of two seconds each.
            let (beginning, rest) = try FLVFile(path: file).cut(at: 5_000)
            try await withServices { services in
                let (counts, count) = AsyncStream.makeStream(of: Int.self)
                async let publishing: Void = FFmpeg.publish(beginning, to: "\(services.rtmp)/live/stream") {
                    // The encoder has nothing of the other half before a reader has something of the first.
                    try await counts.wait()
                    return rest
                }
                try await services.waitForPlaylist("live/stream")
                let playlist = try await Curl.get("\(services.http)/live/stream/source.m3u8").text
                let segments = playlist.split(separator: "\n").filter { !$0.hasPrefix("#") }
                let third = try #require(segments.dropFirst(2).first)
                let reading = try await ObjectReading.read(
                    "/live/stream/\(third)", at: services.httpPort, expecting: ByteBuffer()
                ) { count.yield($0) }
                #expect(reading.status == 200 && reading.hasEnded)
                let whole = try await Curl.get("\(services.http)/live/stream/\(third)").body
                #expect(reading.bodyBytes == whole.count)
                #expect(TransportStream(whole).pictureTimes.count == 60)
                try await publishing
            }
        }
    }

    @Test func `plain HLS lists complete segments alone`() async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/source.flv"
            try await FFmpeg.makeSource(file, seconds: 6)
            let flags = ["--lhls-ahead", "0", "--resume-window", "1s", "--output", "file:\(folder)/out"]
            try await withServices(ingest: flags) { services in
                let follower = try await services.publishAndFollow(file, "live/stream")
                #expect(follower.segments.count == 6)
                // The directory holds the same.
                let playlist = "\(folder)/out/live/stream/source.m3u8"
                try await poll(for: "the end of \(playlist)") {
                    let text = try? String(contentsOf: URL(filePath: playlist), encoding: .utf8)
                    return text?.contains("#EXT-X-ENDLIST") == true ? () : nil
                }
                let frames = try await FFmpeg.frames(playlist, track: "v")
                let sent = try await FFmpeg.frames(file, track: "v")
                #expect(frames == sent)
            }
        }
    }
}
