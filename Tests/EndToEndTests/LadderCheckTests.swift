import FoundationEssentials
import Testing

/// The checks of ladders, held against ladders made by the ffmpeg command: one that is right, and what is wrong.
@Suite struct LadderCheckTests {
    /// Two renditions of a file in HLS; the second's keyframes come every so many seconds.
    private func renditions(
        of file: String, keyframeInterval: Double, in folder: String
    ) async throws -> [(name: String, segments: [LadderSegment])] {
        var renditions: [(name: String, segments: [LadderSegment])] = []
        for (name, interval) in [("a", 1.0), ("b", keyframeInterval)] {
            try await FFmpeg.run([
                "-i", file, "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-force_key_frames",
                "expr:gte(t,n_forced*\(interval))", "-g", "900", "-c:a", "copy", "-f", "hls", "-hls_time", "1",
                "-hls_list_size", "0", "-hls_segment_filename", "\(folder)/\(name)%d.ts", "\(folder)/\(name).m3u8",
            ])
            let playlist = try String(contentsOf: URL(filePath: "\(folder)/\(name).m3u8"), encoding: .utf8)
            renditions.append((name, try Follower(of: playlist, in: folder).ladderSegments))
        }
        return renditions
    }

    @Test func `a ladder that is right passes, and each fault is told`() async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/source.flv"
            try await MediaSource(testDescription: "", seconds: 5).make(file)
            let right = try await renditions(of: file, keyframeInterval: 1, in: folder)
            #expect(right[0].segments.count >= 5)
            func problems(_ change: (inout [(name: String, segments: [LadderSegment])]) -> Void) -> [String] {
                var ladder = right
                change(&ladder)
                return LadderCheck(renditions: ladder, checksBeginnings: false).problems()
            }
            #expect(problems { _ in } == [])
            #expect(problems { $0[1].segments.removeLast() } != [])
            #expect(problems { $0[0].segments.remove(at: 2) } != [])
            #expect(problems { $0[1].segments[2].duration = "1.010000" } != [])
            #expect(problems { $0[1].segments[2].isDiscontinuous = true } != [])
            #expect(problems { $0[1].segments[2].stream = $0[1].segments[3].stream } != [])
            #expect(problems { $0[0].segments = [] } != [])

            let wrong = try await renditions(of: file, keyframeInterval: 1.2, in: folder)
            #expect(LadderCheck(renditions: wrong, checksBeginnings: false).problems() != [])
        }
    }

    @Test func `the offset of sound and picture is measured to a millisecond`() async throws {
        try await withTemporaryFolder { folder in
            try await MediaSource(testDescription: "", seconds: 6).make("\(folder)/source.flv")
            for milliseconds in [-60, 0, 45] {
                let shifted = "\(folder)/shifted.ts"
                try await FFmpeg.run([
                    "-i", "\(folder)/source.flv", "-itsoffset", "\(Double(milliseconds) / 1_000)", "-i",
                    "\(folder)/source.flv", "-map", "0:v", "-map", "1:a", "-c", "copy", shifted,
                ])
                let measured = try await FlashAndBeep(shifted)
                #expect(measured.offsets.count >= 4)
                #expect(abs(measured.medianOffset - Double(milliseconds)) < 1.5, "\(measured.offsets)")
                #expect(abs(measured.largestOffset - abs(Double(milliseconds))) < 1.5, "\(measured.offsets)")
            }
        }
    }

    @Test func `a decoder that forgives nothing tells damage`() async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/source.ts"
            try await MediaSource(testDescription: "", seconds: 3).make(file)
            let whole = try await FFmpeg.decodingErrors(file)
            #expect(whole == [])
            var bytes = [UInt8](try Data(contentsOf: URL(filePath: file)))
            for index in stride(from: bytes.count / 2, to: bytes.count, by: 1_880) { bytes[index + 100] ^= 0xFF }
            try Data(bytes).write(to: URL(filePath: file))
            let damaged = try await FFmpeg.decodingErrors(file)
            #expect(damaged != [])
        }
    }

    @Test func `captions put into a file are found in it, and only these`() async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/source.flv"
            try await MediaSource(testDescription: "", seconds: 6).make(file)
            var tags = try FLVFile(path: file)
            Captions(lines: ["GOOD MORNING.", "HOW DO YOU DO?"]).insert(into: &tags)
            try tags.write(to: file)
            let found = try await Captions(lines: ["GOOD MORNING.", "NO.", "HOW DO YOU DO?"]).found(in: file)
            #expect(found == ["GOOD MORNING.", "HOW DO YOU DO?"])
            let errors = try await FFmpeg.decodingErrors(file)
            #expect(errors == [])
        }
    }

    @Test func `two files in one change their format in the middle`() async throws {
        try await withTemporaryFolder { folder in
            for (name, size) in [("a", "426x240"), ("b", "640x360")] {
                try await MediaSource(testDescription: "", size: size, seconds: 2).make("\(folder)/\(name).flv")
            }
            let first = try FLVFile(path: "\(folder)/a.flv")
            let second = try FLVFile(path: "\(folder)/b.flv")
            let joined = first.followed(by: second, at: 2_000)
            #expect(joined.tags.count { $0.isVideo && $0.isHeader } == 2)
            #expect(joined.tags.count { $0.type == FLVFile.Tag.audio && $0.isHeader } == 1)
            try joined.write(to: "\(folder)/joined.flv")
            let frames = try await FFmpeg.frames("\(folder)/joined.flv", track: "v")
            #expect(frames.count == 120)
        }
    }
}

extension Follower {
    /// What was read of a playlist on disk.
    init(of playlist: String, in folder: String) throws {
        let uris = playlist.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
        let segments = try uris.map { ($0, [UInt8](try Data(contentsOf: URL(filePath: "\(folder)/\($0)")))) }
        self.init(segments: segments, versions: [playlist])
    }
}
