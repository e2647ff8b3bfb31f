import NIOCore
import RTMP
import Testing

@Suite struct ChunkTests {
    /// Two audio messages of two bytes on chunk stream 4, the first with a full header at 1000 ms.
    private static let start = hex("04 0003E8 000002 08 01000000 AF01")
    private static let first = raw(4, 1_000, .audio, 1, hex("AF01"))

    @Test(arguments: [
        WireCase("nothing", hex(""), []),
        WireCase("a full header", start, [first]),
        WireCase("a message without bytes", hex("04 0003E8 000000 08 01000000"), [raw(4, 1_000, .audio, 1, hex(""))]),
        WireCase(
            "the same stream, later", start + hex("44 000017 000001 08 AA"),
            [first, raw(4, 1_023, .audio, 1, hex("AA"))]),
        WireCase(
            "the same length, later", start + hex("84 000017 AABB"), [first, raw(4, 1_023, .audio, 1, hex("AABB"))]),
        WireCase(
            "a message without header repeats the last delta", start + hex("84 000017 AABB C4 CCDD C4 EEFF"),
            [
                first, raw(4, 1_023, .audio, 1, hex("AABB")), raw(4, 1_046, .audio, 1, hex("CCDD")),
                raw(4, 1_069, .audio, 1, hex("EEFF")),
            ]),
        WireCase(
            "directly after a full header the delta is its timestamp", start + hex("C4 CCDD"),
            [first, raw(4, 2_000, .audio, 1, hex("CCDD"))]),
        WireCase(
            "a fresh chunk stream may start without a message stream: librtmp's ping",
            hex("42 000005 000006 04 000600000007"), [raw(2, 5, .userControl, 0, hex("000600000007"))]),
        WireCase(
            "every form of chunk stream id",
            hex("00 00 000001 000001 08 01000000 AA 01 FFFF 000002 000001 08 01000000 BB"),
            [raw(64, 1, .audio, 1, hex("AA")), raw(65_599, 2, .audio, 1, hex("BB"))]),
        WireCase(
            "a delta wraps", hex("04 FFFFFF 000001 08 01000000 FFFFFFFE AA 44 000003 000001 08 BB"),
            [raw(4, 0xFFFF_FFFE, .audio, 1, hex("AA")), raw(4, 1, .audio, 1, hex("BB"))]),
        WireCase(
            "set chunk size before connect, then a long message in one chunk",
            hex("02 000000 000004 01 00000000 00001000") + hex("03 000000 0000C8 14 00000000") + pattern(200),
            [raw(2, 0, .setChunkSize, 0, hex("00001000")), raw(3, 0, .commandAMF0, 0, pattern(200))]),
        WireCase(
            "chunks of one byte",
            hex("02 000000 000004 01 00000000 00000001") + hex("04 000000 000003 08 01000000 AA C4 BB C4 CC"),
            [raw(2, 0, .setChunkSize, 0, hex("00000001")), raw(4, 0, .audio, 1, hex("AABBCC"))]),
        WireCase(
            "the largest chunk size there is",
            hex("02 000000 000004 01 00000000 7FFFFFFF") + hex("04 000000 000200 08 01000000") + pattern(512),
            [raw(2, 0, .setChunkSize, 0, hex("7FFFFFFF")), raw(4, 0, .audio, 1, pattern(512))]),
        WireCase(
            "chunk streams interleave",
            hex("04 000064 000090 09 01000000") + pattern(128) + hex("05 000065 000001 08 01000000 AA C4")
                + pattern(16, from: 129),
            [raw(5, 101, .audio, 1, hex("AA")), raw(4, 100, .video, 1, pattern(144))]),
        WireCase(
            "a chunk size that changes within a message holds from the next chunk",
            hex("04 000000 000101 09 01000000") + pattern(128) + hex("02 000000 000004 01 00000000 00000081 C4")
                + pattern(129, from: 129),
            [raw(2, 0, .setChunkSize, 0, hex("00000081")), raw(4, 0, .video, 1, pattern(257))]),
        WireCase(
            "abort drops the message, and the next one starts anew",
            hex("04 000010 000081 09 01000000") + pattern(128)
                + hex("02 000000 000004 02 00000000 00000004") + hex("04 000020 000001 09 01000000 AA"),
            [raw(2, 0, .abort, 0, hex("00000004")), raw(4, 32, .video, 1, hex("AA"))]),
        WireCase(
            "abort of a stream that is not there",
            hex("02 000000 000004 02 00000000 00000009") + start, [raw(2, 0, .abort, 0, hex("00000009")), first]),
        WireCase(
            "a full header within a message starts a new one",
            hex("04 000010 000081 09 01000000") + pattern(128) + start, [first]),
        WireCase(
            "a header without stream within a message starts a new one",
            hex("04 000010 000081 09 01000000") + pattern(128) + hex("44 000010 000002 08 AABB"),
            [raw(4, 32, .audio, 1, hex("AABB"))]),
        WireCase(
            "a delta alone within a message starts a new one of the same length",
            hex("04 000010 000081 09 01000000") + pattern(128) + hex("84 000010") + pattern(128, from: 5)
                + hex("C4 EE"),
            [raw(4, 32, .video, 1, pattern(128, from: 5) + hex("EE"))]),
    ]) func `chunks make messages`(row: WireCase<[RawMessage]>) throws {
        try expectChunks(row.bytes, row.value)
        for length in 0..<row.bytes.readableBytes {
            let part = try decodeChunks([row.bytes.prefix(length)])
            #expect(row.value.starts(with: part.messages))
            #expect(part.messages.count < row.value.count)
        }
    }

    @Test(arguments: [
        WireCase("delta on a fresh stream", hex("84 000017 AA"), RTMPError.chunkWithoutHeader(format: 2)),
        WireCase("nothing on a fresh stream", hex("C4 AA"), .chunkWithoutHeader(format: 3)),
        WireCase("chunk size 0", hex("02 000000 000004 01 00000000 00000000"), .chunkSizeOutOfRange(0)),
        WireCase(
            "chunk size with the top bit", hex("02 000000 000004 01 00000000 80000001"),
            .chunkSizeOutOfRange(0x8000_0001)),
        WireCase("a short chunk size", hex("02 000000 000003 01 00000000 000001"), .messageTruncated(typeID: 1)),
        WireCase("a short abort", hex("02 000000 000000 02 00000000"), .messageTruncated(typeID: 2)),
        WireCase(
            "audio over its limit", hex("04 000000 010001 08 01000000"), .messageTooLong(typeID: 8, bytes: 65_537)),
        WireCase(
            "video over its limit", hex("04 000000 FFFFFF 09 01000000"), .messageTooLong(typeID: 9, bytes: 0xFFFFFF)),
        WireCase("control over its limit", hex("02 000000 000081 04 00000000"), .messageTooLong(typeID: 4, bytes: 129)),
        WireCase(
            "a later header over the limit", hex("04 000000 000001 08 01000000 AA 44 000000 020000 08"),
            .messageTooLong(typeID: 8, bytes: 0x20000)),
    ]) func `a broken rule is named`(row: WireCase<RTMPError>) {
        #expect(throws: row.value) { try decodeChunks([row.bytes]) }
        let single = (0..<row.bytes.readableBytes).map { row.bytes.dropping($0).prefix(1) }
        #expect(throws: row.value) { try decodeChunks(single) }
    }

    @Test func `chunk streams are counted`() throws {
        var bytes = ByteBuffer()
        for id in UInt32(2)..<66 {
            ChunkBasicHeader(format: .full, chunkStreamID: id).encode(into: &bytes)
            bytes.writeImmutableBuffer(hex("000000 000001 08 01000000 AA"))
        }
        #expect(try decodeChunks([bytes]).messages.count == 64)
        bytes.writeImmutableBuffer(hex("00 FF 000000 000001 08 01000000 AA"))
        #expect(throws: RTMPError.tooManyChunkStreams) { try decodeChunks([bytes]) }
    }

    @Test func `bytes of unfinished messages are counted and given back`() throws {
        var limits = RTMPLimits()
        limits.partialBytes = 300
        let one = hex("04 000000 000100 09 01000000") + pattern(128)
        let two = hex("05 000000 000100 09 01000000") + pattern(128)
        let three = hex("06 000000 000100 09 01000000") + pattern(128)
        #expect(throws: RTMPError.tooManyPartialBytes) { try decodeChunks([one, two, three], limits: limits) }
        let end = hex("C4") + pattern(128, from: 129)
        let abort = hex("02 000000 000004 02 00000000 00000005")
        let messages = try decodeChunks([one, end, two, abort, three, one], limits: limits).messages
        #expect(messages.map(\.chunkStreamID) == [4, 2])
    }

    @Test func `the limit of unfinished messages can be another before a publish is accepted`() throws {
        var decoder = ChunkDecoder()
        decoder.partialBytesLimit = 100
        var buffer = hex("04 000000 000100 09 01000000") + pattern(128)
        #expect(throws: RTMPError.tooManyPartialBytes) { try decoder.decode(buffer: &buffer) }
    }

    @Test func `an announced length allocates next to nothing`() throws {
        // Chunks of one byte, so that each of 60 streams has begun its 8 MiB.
        var buffer = hex("02 000000 000004 01 00000000 00000001")
        for id in UInt8(3)..<63 {
            buffer.writeInteger(id)
            buffer.writeImmutableBuffer(hex("000000 7FFFFF 09 01000000 AA"))
        }
        var decoder = ChunkDecoder()
        #expect(try decoder.decode(buffer: &buffer) != nil)
        #expect(try decoder.decode(buffer: &buffer) == nil)
        let allocated = allocatedBytes(in: decoder)
        #expect(allocated >= 60)
        #expect(allocated <= 1 << 20)
    }

    /// The storage of all buffers inside a value.
    private func allocatedBytes(in value: Any) -> Int {
        if let buffer = value as? ByteBuffer { return buffer.storageCapacity }
        return Mirror(reflecting: value).children.reduce(0) { $0 + allocatedBytes(in: $1.value) }
    }

    @Test func `a message in one chunk is a slice of what was read`() throws {
        let bytes = hex("02 000000 000004 01 00000000 00010000 04 000000 000200 09 01000000") + pattern(512)
        let message = try #require(try decodeChunks([bytes]).messages.last)
        #expect(message.payload == pattern(512))
        #expect(message.payload.storageCapacity > 512, "the payload has a buffer of its own")
    }

    @Test func `every message survives encoding and decoding`() throws {
        let messages = [
            raw(3, 0, .commandAMF0, 0, pattern(300)),
            raw(2, 0, .setChunkSize, 0, hex("00000040")),
            raw(4, 16_777_214, .video, 1, pattern(200)),
            raw(70, 16_777_215, .audio, 1, pattern(64)),
            raw(400, .max, .video, 1, pattern(193)),
            raw(2, 0, .setChunkSize, 0, hex("00010000")),
            raw(65_599, 16_777_216, .video, 0xFFFF_FFFF, pattern(70_000)),
            raw(4, 0, .audio, 1, hex("")),
        ]
        var encoder = ChunkEncoder()
        var bytes = ByteBuffer()
        for message in messages { try encoder.encode(message, into: &bytes) }
        try expectChunks(bytes, messages)
    }

    @Test func `a long message is written in chunks of the size in force`() throws {
        var encoder = ChunkEncoder()
        var bytes = ByteBuffer()
        try encoder.encode(raw(3, 0x0100_0000, .commandAMF0, 0, pattern(129)), into: &bytes)
        let header = hex("03 FFFFFF 000081 14 00000000 01000000")
        #expect(bytes == header + pattern(128) + hex("C3 01000000") + pattern(1, from: 129))
    }

    @Test func `a message too long for its length field is refused`() {
        var encoder = ChunkEncoder()
        var bytes = ByteBuffer()
        let message = raw(3, 0, .video, 0, ByteBuffer(repeating: 0, count: 0x100_0000))
        #expect(throws: RTMPError.messageTooLong(typeID: 9, bytes: 0x100_0000)) {
            try encoder.encode(message, into: &bytes)
        }
    }
}
