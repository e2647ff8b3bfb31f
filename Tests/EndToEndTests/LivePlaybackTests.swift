import Testing

@Suite struct LivePlaybackTests {
    @Test func `ffmpeg reads the live playlist for half a minute without a warning`() async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/source.flv"
            try await FFmpeg.makeSource(file, seconds: 38)
            try await withServices { services in
                async let publishing: Void = FFmpeg.publish(file, to: "\(services.rtmp)/live/stream")
                try await services.waitForPlaylist("live/stream")
                let probe = try await services.probe("live/stream")
                #expect(probe.contains("h264,320,180") && probe.contains("aac"))
                let messages = try await FFmpeg.run([
                    "-i", "\(services.http)/live/stream/playlist.m3u8", "-t", "30", "-c", "copy", "-f", "null", "-",
                ]).messages
                #expect(messages == "")
                try await publishing
            }
        }
    }

    @Test func `a segment's first bytes arrive before its last are produced`() async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/source.flv"
            try await FFmpeg.makeSource(file, seconds: 10, video: ["-g", "60", "-bf", "0"])
            try await withServices { services in
                async let publishing: Void = FFmpeg.publish(file, to: "\(services.rtmp)/live/stream")
                try await services.waitForPlaylist("live/stream")
                let playlist = try await Curl.get("\(services.http)/live/stream/source.m3u8").text
                // The first announced segment: nothing of it exists yet.
                let announced = try #require(
                    playlist.split(separator: "\n").last { !$0.hasPrefix("#") })
                let arrivals = try await Curl.arrivals("\(services.http)/live/stream/\(announced)")
                let first = try #require(arrivals.first)
                let last = try #require(arrivals.last)
                // Two seconds of media, published at media speed.
                #expect(last.moment - first.moment > .milliseconds(1_500))
                #expect(first.bytes < arrivals.reduce(0) { $0 + $1.bytes } / 4)
                #expect(arrivals.count > 20)
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
                _ = try await services.ingestLog.line(with: "broadcast ended")
                let frames = try await FFmpeg.frames("\(folder)/out/live/stream/source.m3u8", track: "v")
                let sent = try await FFmpeg.frames(file, track: "v")
                #expect(frames == sent)
            }
        }
    }
}
