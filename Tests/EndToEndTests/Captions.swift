import FoundationEssentials

/// CEA-608 captions in H.264: lines that roll up, one a second, as `ATSC A/53 §6.2.3` carries them.
struct Captions: Sendable {
    /// Up to 22 characters each, which is what the frames of half a second hold.
    let lines: [String]

    private static func withParity(_ byte: UInt8) -> UInt8 { byte.nonzeroBitCount % 2 == 0 ? byte | 0x80 : byte }

    /// The byte pairs of field 1 that show a line (`CEA-608 §B.5`): control codes are sent twice.
    private static func pairs(_ line: String) -> [[UInt8]] {
        let rollUp: [UInt8] = [0x14, 0x25]
        let carriageReturn: [UInt8] = [0x14, 0x2D]
        let lowestRow: [UInt8] = [0x14, 0x70]
        var text = Array(line.utf8)
        if text.count % 2 == 1 { text.append(0) }
        let characters = stride(from: 0, to: text.count, by: 2).map { Array(text[$0..<$0 + 2]) }
        return [rollUp, rollUp, carriageReturn, carriageReturn, lowestRow, lowestRow] + characters
    }

    /// A whole SEI NAL unit of one frame, its length before it (`H.264 §D.1.6`). Nothing in it needs emulation
    /// prevention.
    private static func message(_ pair: [UInt8]) -> [UInt8] {
        let triplet = [0xFC] + pair.map(withParity)
        let payload: [UInt8] = [0xB5, 0x00, 0x31] + Array("GA94".utf8) + [3, 0x41, 0xFF] + triplet + [0xFF]
        let unit: [UInt8] = [6, 4, UInt8(payload.count)] + payload + [0x80]
        return [0, 0, 0, UInt8(unit.count)] + unit
    }

    /// Puts the lines into a file without B-frames, one from each full second on; it must be two seconds longer.
    func insert(into file: inout FLVFile) {
        var queue: [[UInt8]] = []
        var next = 0
        // A line is shown as a whole when the next begins, which for the last is an empty one.
        let all = lines + [""]
        for index in file.tags.indices where file.tags[index].isAccessUnit {
            if next < all.count, file.tags[index].time >= UInt32(next + 1) * 1_000 {
                queue += Self.pairs(all[next])
                next += 1
            }
            let pair = queue.isEmpty ? [0, 0] : queue.removeFirst()
            file.tags[index].body.insert(contentsOf: Self.message(pair), at: 5)
        }
    }

    /// The texts of the captions that libavcodec finds in a file, in order, each as often as it changes.
    static func texts(in path: String) async throws -> [String] {
        let output = try await FFmpeg.run(
            ["-v", "error", "-f", "lavfi", "-i", "movie=\(path)[out+subcc]", "-map", "0:s", "-f", "srt", "-"]
        ).output
        return output.split(separator: "\n").map(String.init).filter { line in
            !line.contains("-->") && !line.allSatisfy(\.isNumber)
        }
    }

    /// Those of the lines that are found in a file.
    func found(in path: String) async throws -> [String] {
        let texts = try await Self.texts(in: path).joined(separator: "\n")
        return lines.filter { texts.contains($0) }
    }
}
