import NIOCore
import RTMP
import Testing

private func decode(_ bytes: ByteBuffer, limits: RTMPLimits = RTMPLimits()) throws(RTMPError) -> AMF0Value {
    var decoder = AMF0Decoder(limits: limits)
    var buffer = bytes
    return try decoder.decode(from: &buffer)
}

@Suite struct AMF0Tests {
    @Test(arguments: [
        WireCase("number", hex("00 3FF0000000000000"), AMF0Value.number(1)),
        WireCase("negative number", hex("00 C005BF0A8B145769"), .number(-2.718281828459045)),
        WireCase("true", hex("01 01"), .boolean(true)),
        WireCase("false", hex("01 00"), .boolean(false)),
        WireCase("empty string", hex("02 0000"), .string("")),
        WireCase("string", hex("02 0004 6C697665"), .string("live")),
        WireCase("string beyond ASCII", hex("02 0003 E282AC"), .string("€")),
        WireCase("empty object", hex("03 000009"), .object([:])),
        WireCase(
            "object in its order", hex("03 0001 62 05 0001 61 0101 000009"),
            .object(["b": .null, "a": .boolean(true)])),
        WireCase("an empty key is a key", hex("03 0000 05 000009"), .object(["": .null])),
        WireCase("null", hex("05"), .null),
        WireCase("undefined", hex("06"), .undefined),
        WireCase("reference", hex("07 0102"), .reference(258)),
        WireCase("ECMA array", hex("08 00000001 0001 61 05 000009"), .ecmaArray(["a": .null])),
        WireCase("strict array", hex("0A 00000002 05 0101"), .strictArray([.null, .boolean(true)])),
        WireCase("empty strict array", hex("0A 00000000"), .strictArray([])),
        WireCase("date", hex("0B 4059000000000000 FFC4"), .date(milliseconds: 100, timeZone: -60)),
        WireCase("unsupported", hex("0D"), .unsupported),
        WireCase("XML document", hex("0F 00000004 3C612F3E"), .xmlDocument("<a/>")),
        WireCase("typed object", hex("10 0001 43 0001 61 05 000009"), .typedObject(className: "C", ["a": .null])),
        WireCase(
            "objects in objects", hex("03 0001 61 03 0001 62 08 00000000 000009 000009 000009"),
            .object(["a": .object(["b": .ecmaArray([:])])])),
    ]) func `a value reads and writes`(row: WireCase<AMF0Value>) throws {
        #expect(try decode(row.bytes) == row.value)
        var written = ByteBuffer()
        row.value.encode(into: &written)
        #expect(written == row.bytes)
        for length in 0..<row.bytes.readableBytes {
            #expect(throws: RTMPError.amfTruncated) { try decode(row.bytes.prefix(length)) }
        }
    }

    @Test(arguments: [
        WireCase(
            "ECMA array that counts too few", hex("08 00000000 0001 61 05 000009"), AMF0Value.ecmaArray(["a": .null])),
        WireCase("ECMA array that counts too many", hex("08 FFFFFFFF 0001 61 05 000009"), .ecmaArray(["a": .null])),
        WireCase("short long string", hex("0C 00000004 6C697665"), .string("live")),
        WireCase("no UTF-8", hex("02 0002 C328"), .string("\u{FFFD}(")),
        WireCase("true as 7", hex("01 07"), .boolean(true)),
        WireCase("AMF3 undefined", hex("11 00"), .undefined),
        WireCase("AMF3 null", hex("11 01"), .null),
        WireCase("AMF3 false", hex("11 02"), .boolean(false)),
        WireCase("AMF3 true", hex("11 03"), .boolean(true)),
        WireCase("AMF3 integer of a byte", hex("11 04 7F"), .number(127)),
        WireCase("AMF3 integer of two bytes", hex("11 04 8100"), .number(128)),
        WireCase("AMF3 integer of four bytes", hex("11 04 BFFFFFFF"), .number(268_435_455)),
        WireCase("AMF3 negative integer", hex("11 04 FFFFFFFF"), .number(-1)),
        WireCase("AMF3 double", hex("11 05 3FF0000000000000"), .number(1)),
        WireCase("AMF3 string", hex("11 06 09 6C697665"), .string("live")),
    ]) func `a value that is not written like this reads`(row: WireCase<AMF0Value>) throws {
        #expect(try decode(row.bytes) == row.value)
        for length in 0..<row.bytes.readableBytes {
            #expect(throws: RTMPError.amfTruncated) { try decode(row.bytes.prefix(length)) }
        }
    }

    @Test(arguments: [
        WireCase("movie clip", hex("04"), RTMPError.amfMarkerUnknown(4)),
        WireCase("record set", hex("0E"), .amfMarkerUnknown(14)),
        WireCase("an end without an object", hex("09"), .amfMarkerUnknown(9)),
        WireCase("no marker", hex("FF"), .amfMarkerUnknown(255)),
        WireCase("AMF3 object", hex("11 0A 0B 01"), .amf3Unsupported(marker: 10)),
        WireCase("AMF3 string reference", hex("11 06 00"), .amf3Unsupported(marker: 6)),
        WireCase("long string over the limit", hex("0C 00010001"), .amfStringTooLong),
        WireCase("AMF3 string over the limit", hex("11 06 FFFFFFFF"), .amfStringTooLong),
        WireCase("array over the limit", hex("0A FFFFFFFF"), .amfTooManyElements),
    ]) func `a broken rule is named`(row: WireCase<RTMPError>) {
        #expect(throws: row.value) { try decode(row.bytes) }
    }

    @Test func `a string of 65536 bytes is a long one`() throws {
        let text = String(repeating: "a", count: 65_536)
        var written = ByteBuffer()
        AMF0Value.string(text).encode(into: &written)
        #expect(written.prefix(5) == hex("0C 00010000"))
        #expect(try decode(written) == .string(text))
        written.clear()
        AMF0Value.string(String(text.dropLast())).encode(into: &written)
        #expect(written.prefix(3) == hex("02 FFFF"))
    }

    @Test(arguments: [hex("03 0001 61"), hex("08 00000000 0001 61"), hex("10 0000 0001 61"), hex("0A 00000001")])
    func `a bomb of 10,000 levels stops at the limit`(level: ByteBuffer) throws {
        var bomb = ByteBuffer()
        for _ in 0..<10_000 { bomb.writeImmutableBuffer(level) }
        #expect(throws: RTMPError.amfTooDeep) { try decode(bomb) }
    }

    @Test func `as many levels as the limit are read`() throws {
        var value = AMF0Value.null
        for _ in 0..<16 { value = .object(["a": value]) }
        var bytes = ByteBuffer()
        value.encode(into: &bytes)
        #expect(try decode(bytes) == value)
        bytes.clear()
        AMF0Value.strictArray([value]).encode(into: &bytes)
        #expect(throws: RTMPError.amfTooDeep) { try decode(bytes) }
    }

    @Test func `keys are counted over all objects of a message`() throws {
        let half = AMF0Object(properties: (0..<499).map { .init(key: "\($0)", value: .null) })
        var bytes = ByteBuffer()
        AMF0Value.object(["a": .object(half), "b": .object(half)]).encode(into: &bytes)
        #expect(try decode(bytes).object?.properties.count == 2)
        AMF0Value.object(["c": .null]).encode(into: &bytes)
        var decoder = AMF0Decoder()
        #expect(throws: RTMPError.amfTooManyKeys) { try decoder.decodeAll(from: &bytes) }
    }

    @Test func `top-level values are counted`() {
        var bytes = ByteBuffer(repeating: 5, count: 10_001)
        var decoder = AMF0Decoder()
        #expect(throws: RTMPError.amfTooManyElements) { try decoder.decodeAll(from: &bytes) }
    }
}
