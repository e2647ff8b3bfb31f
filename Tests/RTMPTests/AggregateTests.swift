import NIOCore
import RTMP
import Testing

private func split(_ payload: ByteBuffer, at timestamp: UInt32 = 5_000) throws(RTMPError) -> [RawMessage] {
    var aggregate = AggregateMessage(raw(4, timestamp, .aggregate, 1, payload))
    var messages: [RawMessage] = []
    while let message = try aggregate.next() { messages.append(message) }
    return messages
}

@Suite struct AggregateTests {
    private static let two = hex(
        "08 000002 0003E8 00 000000 AF01 0000000D"
            + "09 000001 0003F0 00 000007 17 0000000C")

    @Test func `timestamps are moved to the aggregate's, and its message stream holds`() throws {
        #expect(
            try split(Self.two) == [raw(4, 5_000, .audio, 1, hex("AF01")), raw(4, 5_008, .video, 1, hex("17"))])
    }

    @Test func `encoding gives the same bytes`() {
        let messages = [raw(4, 1_000, .audio, 0, hex("AF01")), raw(4, 1_008, .video, 7, hex("17"))]
        #expect(AggregateMessage.encode(messages) == Self.two)
    }

    @Test func `the high byte of a timestamp comes last, and the difference wraps`() throws {
        let payload = AggregateMessage.encode([
            raw(4, 0xFFFF_FFF0, .audio, 1, hex("AA")), raw(4, 0x10, .audio, 1, hex("BB")),
        ])
        #expect(payload.dropping(4).prefix(4) == hex("FFFFF0 FF"))
        #expect(try split(payload).map(\.timestamp) == [5_000, 5_032])
        #expect(try split(payload, at: 0xFFFF_FFF0).map(\.timestamp) == [0xFFFF_FFF0, 0x10])
    }

    @Test func `the last back pointer may be missing`() throws {
        #expect(try split(Self.two.prefix(Self.two.readableBytes - 4)).count == 2)
    }

    @Test func `every other truncation is named`() throws {
        let ends = [0, 13, 17, 29, 33]
        for length in 0..<Self.two.readableBytes where !ends.contains(length) {
            #expect(throws: RTMPError.aggregateTruncated, "\(length) bytes") { try split(Self.two.prefix(length)) }
        }
    }

    @Test func `other types inside are passed over`() throws {
        let payload = AggregateMessage.encode([
            raw(4, 0, .setChunkSize, 0, hex("00000001")), raw(4, 0, .aggregate, 0, hex("")),
            raw(4, 0, .commandAMF0, 0, hex("05")), raw(4, 7, .audio, 0, hex("AF")),
        ])
        #expect(try split(payload) == [raw(4, 5_007, .audio, 1, hex("AF"))])
    }

    @Test func `sub-messages are counted`() {
        let many = AggregateMessage.encode(Array(repeating: raw(4, 0, .audio, 0, hex("")), count: 1_025))
        #expect(throws: RTMPError.aggregateTooLong) { try split(many) }
    }

    @Test func `a sub-message keeps to the limit of its type`() {
        #expect(throws: RTMPError.messageTooLong(typeID: 8, bytes: 0xFFFFFF)) {
            try split(hex("08 FFFFFF 000000 00 000000"))
        }
    }
}
