/// When the picture of a `MediaSource` flashes and when it beeps, as a player's decoder has it.
struct FlashAndBeep {
    /// In seconds of the file's timeline.
    let flashes: [Double]
    let beeps: [Double]

    init(_ path: String) async throws {
        let brightness = "signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-"
        let pictures = try await FFmpeg.run([
            "-v", "error", "-copyts", "-i", path, "-map", "0:v", "-vf", "scale=32:18,\(brightness)", "-f", "null", "-",
        ]).output
        flashes = Self.flashes(pictures)
        let silences = try await FFmpeg.run([
            "-v", "info", "-nostats", "-copyts", "-i", path, "-map", "0:a", "-af", "silencedetect=noise=0.1:d=0.3",
            "-f", "null", "-",
        ]).messages
        beeps = Self.beeps(silences)
    }

    /// The ends of silences behind which it is silent again as soon as a beep is over: a file's end is one as well.
    private static func beeps(_ text: String) -> [Double] {
        var beeps: [Double] = []
        var end: Double?
        for line in text.split(separator: "\n") {
            if let value = number(behind: "silence_end: ", in: line) { end = value }
            guard let start = number(behind: "silence_start: ", in: line), let beep = end else { continue }
            if 0.05...0.2 ~= start - beep { beeps.append(beep) }
        }
        return beeps
    }

    /// The times of pictures that are white behind one that is not.
    private static func flashes(_ text: String) -> [Double] {
        var flashes: [Double] = []
        var time = 0.0
        var wasWhite = false
        for line in text.split(separator: "\n") {
            if let value = number(behind: "pts_time:", in: line) { time = value }
            guard let brightness = number(behind: "YAVG=", in: line) else { continue }
            if brightness > 190, !wasWhite { flashes.append(time) }
            wasWhite = brightness > 190
        }
        return flashes
    }

    private static func number(behind label: String, in line: Substring) -> Double? {
        guard let range = line.firstRange(of: label) else { return nil }
        return Double(line[range.upperBound...].prefix { !$0.isWhitespace })
    }

    /// How much later than its flash each beep is, in milliseconds; only those of the same second count.
    var offsets: [Double] {
        beeps.compactMap { beep in
            flashes.min { abs($0 - beep) < abs($1 - beep) }.map { (beep - $0) * 1_000 }
        }.filter { abs($0) < 500 }
    }

    var medianOffset: Double {
        let sorted = offsets.sorted()
        return sorted.isEmpty ? .nan : sorted[sorted.count / 2]
    }

    /// The largest, whichever is first.
    var largestOffset: Double { offsets.map(abs).max() ?? .nan }
}
