import Testing

extension TranscodeTests {
    static let sources = [
        MediaSource(testDescription: "29.97 pictures a second, 44.1 kHz", rate: "30000/1001", sampleRate: 44_100),
        MediaSource(testDescription: "25 pictures a second, mono", rate: "25", channelLayout: "mono"),
        MediaSource(testDescription: "50 pictures a second, 5.1", rate: "50", channelLayout: "5.1"),
        MediaSource(
            testDescription: "variable rate, 44.1 kHz mono", hasVariableRate: true, sampleRate: 44_100,
            channelLayout: "mono"),
        MediaSource(testDescription: "B-frames", consecutiveBFrames: 2),
        MediaSource(testDescription: "interlaced", rate: "25", isInterlaced: true),
    ]

    /// All of them at once, beside `source`, whose pictures are what the others are held against.
    @Test func `every rate, sound and kind of picture that encoders send goes through a ladder`() async throws {
        try await withTemporaryFolder { folder in
            for (index, source) in Self.sources.enumerated() { try await source.make("\(folder)/\(index).flv") }
            let flags = Self.flags(
                "source",
                "name=low,size=320x180,video-bitrate=400k,preset=ultrafast,audio-bitrate=96k,audio-channels=2",
                "name=fixed,size=320x180,fps=30,video-bitrate=400k,preset=ultrafast")
            let (ladders, metrics) = try await captureInTime {
                try await withServices(ingest: flags) { services -> ([Int: LadderCapture], Metrics) in
                    let ladders = try await withThrowingTaskGroup(of: (Int, LadderCapture).self) { group in
                        for index in Self.sources.indices {
                            group.addTask {
                                let names = ["source", "low", "fixed"]
                                return (
                                    index,
                                    try await services.publishAndCapture(
                                        "\(folder)/\(index).flv", "live/\(index)", names, in: folder)
                                )
                            }
                        }
                        return try await group.reduce(into: [Int: LadderCapture]()) { $0[$1.0] = $1.1 }
                    }
                    return (ladders, try await Metrics(at: services.ingestMetrics))
                }
            }
            var missing: [String: [Int]] = [:]
            for (index, source) in Self.sources.enumerated() {
                let ladder = try #require(ladders[index])
                let problems = try await ladder.problems()
                #expect(problems == [], "\(source.testDescription)")
                missing["low", default: []].append(try missingPictures(ladder, of: source))
                missing["fixed", default: []].append(try missingSteps(ladder, of: source))
                try await checkSound(ladder, of: source)
                try await checkPicture(ladder, of: source)
            }
            for (rendition, missing) in missing {
                let missed = metrics.missedPictures(of: rendition)
                // Where a picture was dropped, the steps up to the next are not filled either.
                let limit = rendition == "fixed" && missed > 0 ? Int.max : missed
                #expect(missing.reduce(0, +) <= limit, "\(rendition): \(missing)")
                #expect(missed < 60, "\(rendition)")
            }
        }
    }

    /// How many of the source's pictures a rendition of the source's rate does not have.
    private func missingPictures(_ ladder: LadderCapture, of source: MediaSource) throws -> Int {
        let sent = try ladder["source"].pictureTimes
        #expect(sent.count > source.seconds * source.roundedRate / 3, "\(source.testDescription)")
        let low = try ladder["low"].pictureTimes
        #expect(Set(low).isSubset(of: sent) && Set(low).count == low.count, "\(source.testDescription)")
        return sent.count - low.count
    }

    /// How many steps of a fixed rate have no picture; each segment begins with the source's picture.
    private func missingSteps(_ ladder: LadderCapture, of source: MediaSource) throws -> Int {
        var missing = 0
        for segment in try ladder["fixed"].follower.ladderSegments {
            let times = segment.stream.pictureTimes
            let steps = zip(times, times.dropFirst()).map { $1 - $0 }
            #expect(steps.allSatisfy { $0 % 3_000 == 0 }, "\(source.testDescription), \(segment.number): \(times)")
            missing += steps.reduce(0) { $0 + Int($1 / 3_000) - 1 }
        }
        return missing
    }

    private func checkSound(_ ladder: LadderCapture, of source: MediaSource) async throws {
        let sent = try ladder["source"].soundTimes
        let low = try ladder["low"]
        let times = low.soundTimes
        let frame = 1_024 * 90_000 / Int64(source.sampleRate)
        let uneven = zip(times, times.dropFirst()).count { abs($1 - $0 - frame) > 90 }
        #expect(uneven == 0, "\(source.testDescription): \(times)")
        // As long as the source, but for what an encoder keeps and begins with.
        let lengths = [sent, times].map { ($0.last ?? 0) - ($0.first ?? 0) }
        #expect(abs(lengths[0] - lengths[1]) < 4 * frame, "\(source.testDescription)")
        let probed = try await FFmpeg.probe(
            low.path, ["-select_streams", "a", "-show_entries", "stream=sample_rate,channels"])
        #expect(probed.first?.hasPrefix("\(source.sampleRate),2") == true, "\(source.testDescription): \(probed)")
        guard source.hasExactSeconds else { return }
        let measured = try await FlashAndBeep(low.path)
        #expect(measured.offsets.count >= source.seconds - 3, "\(source.testDescription)")
        #expect(measured.largestOffset < 20, "\(source.testDescription): \(measured.offsets)")
    }

    private func checkPicture(_ ladder: LadderCapture, of source: MediaSource) async throws {
        for name in ["source", "low", "fixed"] {
            let interlaced = try await FFmpeg.probe(
                try ladder[name].path, ["-select_streams", "v", "-show_entries", "frame=interlaced_frame"])
            let count = interlaced.count { $0.hasPrefix("1") }
            let isExpected = source.isInterlaced && name == "source"
            #expect((count > 0) == isExpected, "\(source.testDescription), \(name): \(count)")
        }
        guard source.isInterlaced else { return }
        // Lines of two moments in one picture would remain if it were merely called progressive.
        let combed = try await Self.combedPictures(try ladder["source"].path)
        #expect(combed > 100)
        let left = try await Self.combedPictures(try ladder["low"].path)
        #expect(left < combed / 10)
    }

    /// Pictures that libavfilter takes for interlaced by looking at them.
    private static func combedPictures(_ path: String) async throws -> Int {
        let messages = try await FFmpeg.run(
            ["-v", "info", "-nostats", "-i", path, "-map", "0:v", "-vf", "idet", "-f", "null", "-"]
        ).messages
        let line = messages.split(separator: "\n").last { $0.contains("Multi frame detection:") } ?? ""
        let words = line.split(whereSeparator: \.isWhitespace)
        return ["TFF:", "BFF:"].compactMap { words.firstIndex(of: Substring($0)) }
            .reduce(0) { $0 + (Int(words[$1 + 1]) ?? 0) }
    }
}
