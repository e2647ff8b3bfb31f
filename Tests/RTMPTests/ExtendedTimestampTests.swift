import NIOCore
import RTMP
import Testing

@Suite struct ExtendedTimestampTests {
    struct Sender: Sendable, CustomTestStringConvertible {
        var timestamp: UInt32
        var chunks: Int
        /// Whether continuation chunks carry the timestamp, as they must, or not, as with OBS before 30.1.
        var repeatsTimestamp: Bool

        var testDescription: String { "\(timestamp) ms, \(chunks) chunks, \(repeatsTimestamp ? "present" : "absent")" }

        static let all: [Sender] = [16_777_214, 16_777_215, 16_777_216, UInt32.max].flatMap { timestamp in
            [1, 2, 3].flatMap { chunks in
                [true, false].map { Sender(timestamp: timestamp, chunks: chunks, repeatsTimestamp: $0) }
            }
        }

        func bytes(_ payload: ByteBuffer) -> ByteBuffer {
            var bytes = hex("04")
            let stamp = ChunkTimestamp(timestamp)
            ChunkMessageHeader.full(timestamp: stamp, length: payload.readableBytes, typeID: 9, messageStreamID: 1)
                .encode(into: &bytes)
            var payload = payload
            while let chunk = payload.readSlice(length: min(128, payload.readableBytes)), chunk.readableBytes > 0 {
                bytes.writeImmutableBuffer(chunk)
                if payload.readableBytes == 0 { break }
                bytes.writeInteger(UInt8(0xC4))
                if repeatsTimestamp { stamp.encodeExtension(into: &bytes) }
            }
            return bytes
        }
    }

    @Test(arguments: Sender.all, [1, 2, 3, 4, 127, 128])
    func `continuation chunks may carry the timestamp or not`(sender: Sender, lastChunk: Int) throws {
        let payload = pattern((sender.chunks - 1) * 128 + lastChunk)
        // Nothing follows: a short last chunk without a timestamp must not wait for four bytes.
        try expectChunks(sender.bytes(payload), [raw(4, sender.timestamp, .video, 1, payload)])
    }

    @Test(arguments: Sender.all) func `the messages that follow are in step`(sender: Sender) throws {
        let payload = pattern((sender.chunks - 1) * 128 + 2)
        // 40 ms later with a delta, which ends the extended timestamps, and 40 ms after that without a header.
        let bytes = sender.bytes(payload) + hex("44 000028 000002 09 AABB") + hex("C4 CCDD")
        let expected = [
            raw(4, sender.timestamp, .video, 1, payload),
            raw(4, sender.timestamp &+ 40, .video, 1, hex("AABB")),
            raw(4, sender.timestamp &+ 80, .video, 1, hex("CCDD")),
        ]
        try expectChunks(bytes, expected)
        var twice = ByteBuffer()
        twice.writeImmutableBuffer(bytes)
        twice.writeImmutableBuffer(bytes)
        try expectChunks(twice, expected + expected)
    }

    @Test func `a payload that starts like the timestamp is taken for it`() throws {
        // Undecidable by design; what is in step afterwards is a conforming sender.
        let payload = pattern(128) + hex("01000000 AA")
        let bytes = hex("04 FFFFFF 000085 09 01000000 01000000") + pattern(128) + hex("C4 01000000 01000000 AA")
        try expectChunks(bytes, [raw(4, 0x0100_0000, .video, 1, payload)])
    }

    @Test func `an extended delta is added, and repeated by its continuation chunks`() throws {
        let bytes =
            hex("04 000064 000001 09 01000000 AA") + hex("44 FFFFFF 000081 09 01000000") + pattern(128)
            + hex("C4 01000000 BB")
        try expectChunks(
            bytes,
            [raw(4, 100, .video, 1, hex("AA")), raw(4, 0x0100_0064, .video, 1, pattern(128) + hex("BB"))])
    }

    @Test func `a message without header brings an extended delta of its own`() throws {
        // ffmpeg: the field repeats as FFFFFF while the value behind it changes.
        let bytes =
            hex("04 000064 000001 09 01000000 AA") + hex("84 FFFFFF 01000000 BB") + hex("C4 01000010 CC")
        try expectChunks(
            bytes,
            [
                raw(4, 100, .video, 1, hex("AA")), raw(4, 0x0100_0064, .video, 1, hex("BB")),
                raw(4, 0x0200_0074, .video, 1, hex("CC")),
            ])
    }

    @Test func `a full header without extension ends it`() throws {
        let bytes =
            hex("04 FFFFFF 000001 09 01000000 01000000 AA") + hex("04 000005 000081 09 01000000") + pattern(128)
            + hex("C4 01")
        try expectChunks(
            bytes,
            [raw(4, 0x0100_0000, .video, 1, hex("AA")), raw(4, 5, .video, 1, pattern(128) + hex("01"))])
    }

    @Test func `it belongs to one chunk stream`() throws {
        let bytes =
            hex("04 FFFFFF 000001 09 01000000 01000000 AA") + hex("05 000005 000081 08 01000000") + pattern(128)
            + hex("C5 01")
        try expectChunks(
            bytes,
            [raw(4, 0x0100_0000, .video, 1, hex("AA")), raw(5, 5, .audio, 1, pattern(128) + hex("01"))])
    }
}
