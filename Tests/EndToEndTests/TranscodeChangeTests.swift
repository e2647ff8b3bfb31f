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
            let (ladder, metrics) = try await captureInTime {
                try await withServices(ingest: flags + ["--resume-window", "15s"]) {
                    services -> (LadderCapture, Metrics) in
                    let url = "\(services.rtmp)/live/stream"
                    async let captured = services.capture("live/stream", ["source", "360p", "240p"], in: folder)
                    try await FFmpeg.publish("\(folder)/changing.flv", to: url)
                    _ = try await services.ingestLog.line(with: "publisher left")
                    try await FFmpeg.publish("\(folder)/c.flv", to: url)
                    return (try await captured, try await Metrics(at: services.ingestMetrics))
                }
            }
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
            // ffmpeg resets its connections when it closes them, which may cost what was not read yet of the last
            // pictures; none is missing in between, or they would not decode.
            #expect((446...450).contains(sent))
            for timeline in try ladder["source"].timelines {
                let times = TransportStream(timeline).pictureTimes
                let steps = zip(times, times.dropFirst()).map { $1 - $0 }
                #expect(steps.allSatisfy { $0 < 3_200 }, "\(steps)")
            }
            let encoded = try ladder["360p"].pictureTimes.count + ladder["240p"].pictureTimes.count
            let missed = metrics.missedPictures(of: "360p", "240p")
            #expect(2 * sent - encoded == missed)
            #expect(missed < 30)
        }
    }

    @Test func `a ladder goes on while audio comes late and stops`() async throws {
        try await withTemporaryFolder { folder in
            try await MediaSource(testDescription: "audio from 3 s to 6 s", seconds: 9).make("\(folder)/whole.flv")
            var file = try FLVFile(path: "\(folder)/whole.flv")
            file.tags.removeAll { tag in
                tag.type == FLVFile.Tag.audio && !tag.isHeader && !(3_000..<6_000).contains(tag.time)
            }
            try file.write(to: "\(folder)/source.flv")
            let names = ["source", "low", "audio"]
            let flags = Self.flags(
                "source", "name=low,size=320x180,video-bitrate=400k,preset=ultrafast,audio-bitrate=64k", "audio")
            let (ladder, metrics) = try await captureInTime {
                try await withServices(ingest: flags) { services -> (LadderCapture, Metrics) in
                    let ladder = try await services.publishAndCapture(
                        "\(folder)/source.flv", "live/stream", names, in: folder)
                    return (ladder, try await Metrics(at: services.ingestMetrics))
                }
            }
            // There is nothing in the segments of `audio` while there is none; their numbers go on.
            let pictures = LadderCapture(
                renditions: ladder.renditions.filter { $0.name != "audio" }, multivariant: ladder.multivariant)
            let problems = try await pictures.problems()
            #expect(problems == [])
            let segments = try ladder["audio"].follower.ladderSegments.map(\.number)
            #expect(segments == (try ladder["source"].follower.ladderSegments.map(\.number)))
            let sent = try ladder["source"].pictureTimes
            #expect((266...270).contains(sent.count))
            let encoded = try ladder["low"].pictureTimes
            #expect(Set(encoded).isSubset(of: sent))
            #expect(sent.count - encoded.count == metrics.missedPictures(of: "low"))
            let start = try #require(sent.first)
            for name in names {
                let sound = try ladder[name].soundTimes
                let first = try #require(sound.first)
                let last = try #require(sound.last)
                #expect(abs(Double(first - start) / 90_000 - 3) < 0.1, "\(name)")
                #expect(abs(Double(last - start) / 90_000 - 6) < 0.1, "\(name)")
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
