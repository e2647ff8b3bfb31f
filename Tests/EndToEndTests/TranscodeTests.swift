import FoundationEssentials
import Testing

/// What the ingest makes of a stream by decoding and encoding it. One at a time: each takes a good part of a processor,
/// and pictures that do not get one in time are dropped.
@Suite(.serialized, .timeLimit(.minutes(10))) struct TranscodeTests {
    /// `HEADWATER_LADDER_SECONDS` asks for a longer stream, for instance 60.
    static let ladderSeconds = Int(ProcessInfo.processInfo.environment["HEADWATER_LADDER_SECONDS"] ?? "") ?? 20

    /// Repeats `--rendition`; what is encoded must not be slow.
    static func flags(_ renditions: String...) -> [String] {
        ["--resume-window", "1s"] + renditions.flatMap { ["--rendition", $0] }
    }

    @Test func `720p, 480p and audio of one stream are one picture, in time, and a player may change at any segment`()
        async throws
    {
        let source = MediaSource(
            testDescription: "720p30 with captions", size: "1280x720", seconds: Self.ladderSeconds)
        let captions = Captions(lines: (1..<Self.ladderSeconds - 1).map { "THIS IS SECOND \($0)." })
        try await withTemporaryFolder { folder in
            let file = "\(folder)/source.flv"
            try await source.make(file)
            var tags = try FLVFile(path: file)
            captions.insert(into: &tags)
            try tags.write(to: file)

            let flags = Self.flags("720p,preset=ultrafast", "480p,preset=ultrafast", "audio")
            let (ladder, metrics) = try await captureInTime {
                try await withServices(ingest: flags) { services -> (LadderCapture, Metrics) in
                    let ladder = try await services.publishAndCapture(
                        file, "live/stream", ["720p", "480p", "audio"], in: folder)
                    return (ladder, try await Metrics(at: services.ingestMetrics))
                }
            }
            let problems = try await ladder.problems()
            #expect(problems == [])
            let missed = metrics.missedPictures(of: "720p", "480p")
            #expect(missed < source.seconds)
            try await checkPictures(ladder, of: source, missed: missed)
            try await checkTime(ladder, of: source)
            try await checkCaptions(ladder, captions, sentIn: file)
            try checkMultivariant(ladder)
        }
    }

    private func checkPictures(_ ladder: LadderCapture, of source: MediaSource, missed: Int) async throws {
        var missing = 0
        for (name, size) in [("720p", "1280,720"), ("480p", "854,480")] {
            let rendition = try ladder[name]
            let probed = try await FFmpeg.probe(
                rendition.path, ["-select_streams", "v", "-show_entries", "stream=width,height"])
            #expect(probed.first?.hasPrefix(size) == true, "\(name): \(probed)")
            missing += source.seconds * source.roundedRate - rendition.pictureTimes.count
            let frames = try await FFmpeg.frames(rendition.path, track: "v")
            #expect(frames.count == rendition.pictureTimes.count, "\(name)")
        }
        #expect(missing == missed)
        let audio = try ladder["audio"]
        #expect(audio.pictureTimes == [])
        #expect(Double(audio.soundTimes.count) > Double(source.seconds) * 46.875 - 3)
    }

    private func checkTime(_ ladder: LadderCapture, of source: MediaSource) async throws {
        for name in ["720p", "480p"] {
            let measured = try await FlashAndBeep(try ladder[name].path)
            #expect(measured.offsets.count >= source.seconds - 2, "\(name)")
            #expect(measured.largestOffset < 20, "\(name): \(measured.offsets)")
        }
    }

    private func checkCaptions(_ ladder: LadderCapture, _ captions: Captions, sentIn file: String) async throws {
        let sent = try await captions.found(in: file)
        #expect(sent == captions.lines)
        for name in ["720p", "480p"] {
            let received = try await captions.found(in: try ladder[name].path)
            #expect(received == captions.lines, "\(name)")
        }
        #expect(ladder.multivariant.contains("TYPE=CLOSED-CAPTIONS"))
        #expect(ladder.multivariant.contains("INSTREAM-ID=\"CC1\""))
    }

    private func checkMultivariant(_ ladder: LadderCapture) throws {
        let lines = ladder.multivariant.split(separator: "\n").map(String.init)
        #expect(lines.filter { !$0.hasPrefix("#") } == ["720p.m3u8", "480p.m3u8", "audio.m3u8"])
        for (name, wanted) in [
            ("720p", ["RESOLUTION=1280x720", "FRAME-RATE=30.000", "CODECS=\"avc1.", "mp4a.40.2"]),
            ("480p", ["RESOLUTION=854x480", "FRAME-RATE=30.000", "CODECS=\"avc1.", "mp4a.40.2"]),
            ("audio", ["CODECS=\"mp4a.40.2\""]),
        ] {
            let index = try #require(lines.firstIndex(of: "\(name).m3u8"))
            let attributes = try #require(lines[..<index].last)
            for text in wanted { #expect(attributes.contains(text), "\(name): \(attributes)") }
            let segments = try ladder[name].follower.ladderSegments
            let rates = segments.map { Double($0.stream.packets.count * 188 * 8) / $0.seconds }
            let bandwidth = try #require(Self.attribute("BANDWIDTH", in: attributes))
            let average = try #require(Self.attribute("AVERAGE-BANDWIDTH", in: attributes))
            // A short last segment says little of the peak (`RFC 8216 §4.3.4.2`).
            let peak = rates.dropLast().max() ?? 0
            #expect(peak <= bandwidth * 1.01, "\(name): \(attributes)")
            #expect(average <= bandwidth, "\(name): \(attributes)")
        }
    }

    private static func attribute(_ name: String, in line: String) -> Double? {
        let list = line.split(separator: ":", maxSplits: 1).last ?? ""
        let value = list.split(separator: ",").first { $0.hasPrefix("\(name)=") }
        return value.flatMap { Double($0.dropFirst(name.count + 1)) }
    }
}
