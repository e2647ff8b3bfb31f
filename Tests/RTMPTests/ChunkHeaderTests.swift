import NIOCore
import RTMP
import Testing

@Suite struct ChunkHeaderTests {
    @Test(arguments: [
        WireCase("the smallest", hex("02"), ChunkBasicHeader(format: .full, chunkStreamID: 2)),
        WireCase("the last of one byte", hex("FF"), ChunkBasicHeader(format: .sameEverything, chunkStreamID: 63)),
        WireCase("the first of two bytes", hex("4000"), ChunkBasicHeader(format: .sameStream, chunkStreamID: 64)),
        WireCase("the last of two bytes", hex("80FF"), ChunkBasicHeader(format: .sameLength, chunkStreamID: 319)),
        WireCase("the first of three bytes", hex("010001"), ChunkBasicHeader(format: .full, chunkStreamID: 320)),
        WireCase("low byte first", hex("01 3412"), ChunkBasicHeader(format: .full, chunkStreamID: 0x1234 + 64)),
        WireCase("the largest", hex("C1FFFF"), ChunkBasicHeader(format: .sameEverything, chunkStreamID: 65_599)),
    ]) func `a basic header reads and writes`(row: WireCase<ChunkBasicHeader>) {
        var buffer = row.bytes
        #expect(ChunkBasicHeader.decode(from: &buffer) == row.value)
        #expect(buffer.readableBytes == 0)
        var written = ByteBuffer()
        row.value.encode(into: &written)
        #expect(written == row.bytes)
        for length in 0..<row.bytes.readableBytes {
            var part = row.bytes.prefix(length)
            #expect(ChunkBasicHeader.decode(from: &part) == nil)
        }
    }

    @Test(arguments: [
        WireCase(
            "full, the stream low byte first", hex("000010 000003 09 01000000"),
            (
                ChunkFormat.full,
                ChunkMessageHeader.full(timestamp: ChunkTimestamp(16), length: 3, typeID: 9, messageStreamID: 1)
            )),
        WireCase(
            "full, just not extended", hex("FFFFFE FFFFFF 08 01020304"),
            (
                .full,
                .full(
                    timestamp: ChunkTimestamp(16_777_214), length: 0xFFFFFF, typeID: 8, messageStreamID: 0x0403_0201)
            )),
        WireCase(
            "full, just extended", hex("FFFFFF 000000 08 01000000 00FFFFFF"),
            (.full, .full(timestamp: ChunkTimestamp(16_777_215), length: 0, typeID: 8, messageStreamID: 1))),
        WireCase(
            "same stream", hex("000028 000102 14"),
            (.sameStream, .sameStream(delta: ChunkTimestamp(40), length: 258, typeID: 20))),
        WireCase(
            "same stream, extended", hex("FFFFFF 000102 14 FFFFFFFF"),
            (.sameStream, .sameStream(delta: ChunkTimestamp(.max), length: 258, typeID: 20))),
        WireCase("same length", hex("000017"), (.sameLength, .sameLength(delta: ChunkTimestamp(23)))),
        WireCase(
            "same length, extended", hex("FFFFFF 01000000"), (.sameLength, .sameLength(delta: ChunkTimestamp(1 << 24)))),
        WireCase("same everything", hex(""), (.sameEverything, .sameEverything)),
    ]) func `a message header reads and writes`(row: WireCase<(ChunkFormat, ChunkMessageHeader)>) {
        let (format, header) = row.value
        var buffer = row.bytes
        #expect(ChunkMessageHeader.decode(format, from: &buffer) == header)
        #expect(buffer.readableBytes == 0)
        var written = ByteBuffer()
        header.encode(into: &written)
        #expect(written == row.bytes)
        for length in 0..<row.bytes.readableBytes {
            var part = row.bytes.prefix(length)
            #expect(ChunkMessageHeader.decode(format, from: &part) == nil)
        }
    }
}
