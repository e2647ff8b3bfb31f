import Testing

import Media

@Suite struct BitReaderTests {
    @Test(
        arguments: [
            (0, "1"), (1, "010"), (2, "011"), (3, "00100"), (7, "0001000"), (254, "000000011111111"),
            (4_294_967_294, String(repeating: "0", count: 31) + String(repeating: "1", count: 32)),
        ] as [(UInt32, String)])
    func `Exp-Golomb numbers are read`(value: UInt32, bits: String) throws {
        var writer = BitWriter()
        writer.unsigned(value)
        #expect(writer.text.hasPrefix(bits))
        var reader = BitReader(writer.bytes)
        #expect(try reader.readUnsigned() == value)
        #expect(writer.bytes.count * 8 - reader.remainingBits == bits.count)
    }

    @Test(arguments: [(0, 0), (1, 1), (2, -1), (3, 2), (4, -2), (4_294_967_294, -2_147_483_647)] as [(UInt32, Int64)])
    func `signed ones alternate`(code: UInt32, value: Int64) throws {
        var writer = BitWriter()
        writer.unsigned(code)
        var reader = BitReader(writer.bytes)
        #expect(try reader.readSigned() == value)
    }

    @Test func `it never reads past the end`() throws {
        var reader = BitReader([0xAB])
        #expect(throws: MediaError.truncated) { try reader.read(9) }
        #expect(throws: MediaError.truncated) { try reader.skip(9) }
        #expect(throws: MediaError.truncated) { try reader.read(33) }
        #expect(try reader.read(8) == 0xAB)
        #expect(throws: MediaError.truncated) { try reader.readFlag() }
        #expect(throws: MediaError.truncated) { try reader.readUnsigned() }
        #expect(try reader.read(0) == 0)
    }

    @Test func `a number without end is refused`() {
        var reader = BitReader([0, 0, 0, 0, 0, 0])
        #expect(throws: MediaError.invalid(.expGolomb)) { try reader.readUnsigned() }
    }

    @Test(
        arguments: [
            ([0, 0, 3, 1], [0, 0, 1]), ([0, 0, 3, 0, 0, 3, 3], [0, 0, 0, 0, 3]),
            ([0, 3, 0, 0, 0, 3], [0, 3, 0, 0, 0]),
            ([3, 0, 0], [3, 0, 0]),
        ] as [([UInt8], [UInt8])])
    func `emulation prevention is taken out`(bytes: [UInt8], payload: [UInt8]) throws {
        var reader = BitReader(nalUnitPayload: bytes)
        #expect(reader.remainingBits == payload.count * 8)
        for byte in payload { #expect(try reader.read(8) == UInt32(byte)) }
    }
}
