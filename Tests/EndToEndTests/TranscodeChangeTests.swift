import Testing

extension TranscodeTests {
    @Test func `a ladder goes on when the picture changes its size in mid-stream, and again at a reconnect`()
        async throws
    {
        try await withTemporaryFolder { folder in
            for (name, size) in [("a", "1280x720"), ("b", "1920x1080"), ("c", "854x480")] {
                try await MediaSource(testDescription: size, size: size, seconds: 5).make("\(folder)/\(name).flv")
            }
            let first = try FLVFile(path: "\(folder)/a.flv")
            let second = try FLVFile(path: "\(folder)/b.flv")
            try first.followed(by: second, at: 5_000).write(to: "\(folder)/changing.flv")
            let flags = Self.flags("source", "360p,preset=ultrafast", "240p,preset=ultrafast")
            try await withServices(ingest: flags + ["--resume-window", "4s"]) { services in
                let url = "\(services.rtmp)/live/stream"
                async let captured = services.capture("live/stream", ["source", "360p", "240p"], in: folder)
                try await FFmpeg.publish("\(folder)/changing.flv", to: url)
                _ = try await services.ingestLog.line(with: "publisher left")
                try await FFmpeg.publish("\(folder)/c.flv", to: url)
                let ladder = try await captured
                let problems = try await ladder.problems()
                #expect(problems == [])

                // The source did change, twice; the others did not.
                let widths = try await Self.widths(try ladder["source"].path)
                #expect(widths == [1_280, 1_920, 854])
                for (name, width) in [("360p", 640), ("240p", 426)] {
                    let widths = try await Self.widths(try ladder[name].path)
                    #expect(widths == [width], "\(name)")
                    let rendition = try ladder[name]
                    let segments = rendition.follower.ladderSegments
                    #expect(segments.count { $0.isDiscontinuous } >= 2)
                    #expect(abs(segments.reduce(0) { $0 + $1.seconds } - 15) < 0.5)
                }
                let sent = try ladder["source"].pictureTimes.count
                #expect(sent == 450)
                let encoded = try ladder["360p"].pictureTimes.count + ladder["240p"].pictureTimes.count
                let dropped = try await services.droppedFrames()
                #expect(2 * sent - encoded == dropped)
                #expect(dropped < 30)
            }
        }
    }

    /// The pictures' widths in order, each as often as it changes.
    private static func widths(_ path: String) async throws -> [Int] {
        let lines = try await FFmpeg.probe(path, ["-select_streams", "v", "-show_entries", "frame=width"])
        let widths = lines.compactMap { line in line.split(separator: ",").first.flatMap { Int($0) } }
        return widths.reduce(into: []) { if $0.last != $1 { $0.append($1) } }
    }
}
