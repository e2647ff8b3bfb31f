import FoundationEssentials
import Testing

/// An FLV file taken apart (`FLV 10.1 §E.4`), so that tests can publish what the ffmpeg command cannot make.
struct FLVFile {
    struct Tag {
        var type: UInt8
        /// In milliseconds.
        var time: UInt32
        var body: [UInt8]

        /// With its length behind it.
        var bytes: [UInt8] {
            func number(_ value: UInt32, _ count: Int) -> [UInt8] {
                (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> UInt32($0 * 8)) }
            }
            let head = [type] + number(UInt32(body.count), 3) + number(time & 0xFF_FFFF, 3)
            return head + [UInt8(time >> 24), 0, 0, 0] + body + number(UInt32(body.count + 11), 4)
        }

        static let audio: UInt8 = 8
        static let video: UInt8 = 9

        var isVideo: Bool { type == Self.video && body.count > 5 && body[0] & 0xF == 7 }
        /// One or more NAL units, each behind its length.
        var isAccessUnit: Bool { isVideo && body[1] == 1 }
        /// What comes once, before the media: metadata, AVC and AAC sequence headers.
        var isHeader: Bool {
            switch type {
            case Self.video: isVideo && body[1] == 0
            case Self.audio: body.count > 1 && body[0] >> 4 == 10 && body[1] == 0
            default: true
            }
        }
    }

    var tags: [Tag] = []

    init(path: String) throws {
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        func number(at offset: Int, bytes count: Int) -> UInt32 {
            bytes[offset..<offset + count].reduce(0) { $0 << 8 | UInt32($1) }
        }
        var offset = 13
        while offset + 11 < bytes.count {
            let count = Int(number(at: offset + 1, bytes: 3))
            try #require(offset + 11 + count + 4 <= bytes.count, "\(path) ends within a tag")
            let time = number(at: offset + 4, bytes: 3) | UInt32(bytes[offset + 7]) << 24
            tags.append(
                Tag(type: bytes[offset], time: time, body: Array(bytes[offset + 11..<offset + 11 + count])))
            offset += 11 + count + 4
        }
    }

    /// Another file behind this one: its media, and those headers of it that differ.
    func followed(by next: FLVFile, at milliseconds: UInt32) -> FLVFile {
        var joined = self
        let headers = tags.filter(\.isHeader).map(\.body)
        for var tag in next.tags where tag.type == Tag.audio || tag.type == Tag.video {
            if tag.isHeader, headers.contains(tag.body) { continue }
            tag.time += milliseconds
            joined.tags.append(tag)
        }
        return joined
    }

    /// The file as far as a time of its media in milliseconds, and what is behind that.
    func cut(at milliseconds: UInt32) -> (beginning: [UInt8], rest: [UInt8]) {
        let end = tags.firstIndex { $0.time >= milliseconds } ?? tags.endIndex
        let header: [UInt8] = Array("FLV".utf8) + [1, 5, 0, 0, 0, 9, 0, 0, 0, 0]
        return (header + tags[..<end].flatMap(\.bytes), tags[end...].flatMap(\.bytes))
    }

    func write(to path: String) throws {
        try Data(cut(at: .max).beginning).write(to: URL(filePath: path))
    }
}
