import Testing

extension TranscodeTests {
    @Test func `a clock stands in what is encoded, and nowhere else`() async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/grey.flv"
            try await FFmpeg.run([
                "-f", "lavfi", "-i", "color=c=gray:size=426x240:rate=30", "-t", "5", "-c:v", "libx264", "-preset",
                "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", "30", file,
            ])
            let flags = Self.flags("source", "240p,preset=ultrafast") + ["--overlay", "clock"]
            let (ladder, metrics) = try await captureInTime {
                try await withServices(ingest: flags) { services -> (LadderCapture, Metrics) in
                    let ladder = try await services.publishAndCapture(
                        file, "live/stream", ["source", "240p"], in: folder)
                    return (ladder, try await Metrics(at: services.ingestMetrics))
                }
            }
            let problems = try await ladder.problems()
            #expect(problems == [])
            let plain = try await Self.contrasts(try ladder["source"].path)
            #expect(plain.count == 150 && plain.allSatisfy { $0 < 10 })
            let drawn = try await Self.contrasts(try ladder["240p"].path)
            #expect(drawn.count > 140 && drawn.allSatisfy { $0 > 80 })
            #expect(plain.count - drawn.count == metrics.missedPictures(of: "240p"))
            // Milliseconds and the number change with every picture.
            let frames = try await FFmpeg.frames(try ladder["240p"].path, track: "v")
            #expect(Set(frames).count == frames.count)
        }
    }

    /// Of each picture, how far its darkest and its lightest sample are apart.
    private static func contrasts(_ path: String) async throws -> [Double] {
        func values(_ key: String) async throws -> [Double] {
            let filter = "signalstats,metadata=print:key=lavfi.signalstats.\(key):file=-"
            let text = try await FFmpeg.run(["-v", "error", "-i", path, "-vf", filter, "-f", "null", "-"]).output
            return text.split(separator: "\n").filter { $0.hasPrefix("lavfi.") }.compactMap { line in
                line.split(separator: "=").last.flatMap { Double($0) }
            }
        }
        let (lightest, darkest) = (try await values("YMAX"), try await values("YMIN"))
        return zip(lightest, darkest).map { $0 - $1 }
    }

    @Test func `the built-in test picture goes through the same ladder`() async throws {
        try await withTemporaryFolder { folder in
            let flags = Self.flags("source", "360p,preset=ultrafast") + ["--test-pattern", "live/pattern"]
            // The test picture leaves out what it is too late for.
            let (ladder, metrics) = try await captureInTime(isWhole: { try $0["source"].pictureTimes.count > 140 }) {
                try await withServices(ingest: flags) { services -> (LadderCapture, Metrics) in
                    let ladder = try await services.capture(
                        "live/pattern", ["source", "360p"], segments: 5, in: folder)
                    return (ladder, try await Metrics(at: services.ingestMetrics))
                }
            }
            let problems = try await ladder.problems()
            #expect(problems == [])
            let source = try ladder["source"]
            for timeline in source.timelines { Self.checkSteps(TransportStream(timeline).pictureTimes) }
            let sent = source.pictureTimes
            #expect(sent.count > 140)
            let encoded = try ladder["360p"].pictureTimes
            #expect(Set(encoded).isSubset(of: sent))
            #expect(sent.count - encoded.count <= metrics.missedPictures(of: "360p"))
            // A moving picture, and a sound that comes and goes.
            let frames = try await FFmpeg.frames(try ladder["360p"].path, track: "v")
            #expect(Set(frames).count > frames.count * 9 / 10)
            var intervals: [Double] = []
            for path in try ladder["360p"].timelinePaths {
                let beeps = try await FlashAndBeep(path).beeps
                intervals += zip(beeps, beeps.dropFirst()).map { $1 - $0 }
            }
            #expect(intervals.count >= 2 && intervals.allSatisfy { abs($0 - 1) < 0.02 }, "\(intervals)")
        }
    }

    /// Pictures of the built-in encoder, which leaves out those that are late, have times in whole milliseconds: at 30 a
    /// second, up to half of one off.
    private static func checkSteps(_ times: [Int64]) {
        let steps = zip(times, times.dropFirst()).map { $1 - $0 }
        #expect(steps.allSatisfy { $0 > 2_000 && ($0 + 90) % 3_000 <= 180 }, "\(steps)")
        #expect(steps.count { $0 < 4_000 } >= steps.count / 2, "\(steps)")
    }
}
