import Media
import NIOCore
import Testing

@Suite struct AnnexBTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var hex: String
        var units: [String]

        var testDescription: String { name }
    }

    static let table = [
        Case(name: "start codes of three and four bytes", hex: "000000016742000001 68ce", units: ["6742", "68ce"]),
        Case(name: "trailing zeros", hex: "0000016742000000000000016800000000", units: ["6742", "68"]),
        Case(name: "leading zeros", hex: "00000000000001 65aa", units: ["65aa"]),
        Case(name: "emulation prevention stays", hex: "00000165 0000030100000302", units: ["650000030100000302"]),
        Case(name: "what stands before the first start code", hex: "aabb0000016501", units: ["6501"]),
        Case(name: "no start code", hex: "6742c01f", units: []),
        Case(name: "units of no bytes", hex: "000001000001 000001000000016501000001", units: ["6501"]),
        Case(name: "a start code cut short", hex: "00000165010000", units: ["6501"]),
        Case(name: "a byte a unit", hex: "00000165000001 41", units: ["65", "41"]),
        Case(name: "a one that begins no start code", hex: "000001650001 01000001 41", units: ["65000101", "41"]),
        Case(name: "nothing", hex: "", units: []),
    ]

    @Test(arguments: table) func `NAL units are told apart`(_ stream: Case) {
        var bytes = ByteBuffer(hex: "ff" + stream.hex.filter { $0 != " " })
        bytes.moveReaderIndex(forwardBy: 1)
        #expect(AnnexB.nalUnits(bytes) == stream.units.map { ByteBuffer(hex: $0) })
        let prefixed = stream.units.map { "000000" + hex(UInt8($0.count / 2)) + $0 }.joined()
        #expect(AnnexB.lengthPrefixed(bytes) == ByteBuffer(hex: prefixed))
    }

    @Test func `access unit delimiters are left out behind lengths`() {
        let bytes = ByteBuffer(hex: "0000000109f00000000165aabb0000014101")
        #expect(AnnexB.nalUnits(bytes).count == 3)
        #expect(AnnexB.lengthPrefixed(bytes) == ByteBuffer(hex: "0000000365aabb000000024101"))
    }

    @Test func `a decoder configuration is built of its sets`() throws {
        for record in AVCDecoderConfigurationTests.table {
            let parsed = try AVCDecoderConfiguration(ByteBuffer(hex: record.hex))
            let built = try AVCDecoderConfiguration(
                sequenceParameterSets: parsed.sequenceParameterSets, pictureParameterSets: parsed.pictureParameterSets)
            #expect(built.nalUnitLengthSize == 4)
            #expect(built.codecs == record.codecs)
            #expect(built.width == record.width)
            #expect(built.sequenceParameterSets == parsed.sequenceParameterSets)
            #expect(built.pictureParameterSets == parsed.pictureParameterSets)
            if parsed.nalUnitLengthSize == 4 { #expect(built == parsed, "\(record.name)") }
        }
    }

    @Test func `sets that make no record are refused`() throws {
        let parsed = try AVCDecoderConfiguration(ByteBuffer(hex: AVCDecoderConfigurationTests.table[0].hex))
        let set = try #require(parsed.sequenceParameterSets.first)
        #expect(throws: MediaError.missingSequenceParameterSet) {
            try AVCDecoderConfiguration(sequenceParameterSets: [], pictureParameterSets: [])
        }
        #expect(throws: MediaError.truncated) {
            try AVCDecoderConfiguration(sequenceParameterSets: [ByteBuffer(hex: "6742")], pictureParameterSets: [])
        }
        #expect(throws: MediaError.tooLarge(limitBytes: 4_096)) {
            try AVCDecoderConfiguration(
                sequenceParameterSets: Array(repeating: set, count: 32), pictureParameterSets: [])
        }
        #expect(throws: MediaError.tooLarge(limitBytes: 4_096)) {
            try AVCDecoderConfiguration(
                sequenceParameterSets: [set], pictureParameterSets: [ByteBuffer(repeating: 0x68, count: 70_000)])
        }
        #expect(throws: MediaError.invalid(.nalUnitType)) {
            try AVCDecoderConfiguration(
                sequenceParameterSets: [ByteBuffer(hex: "6842c01fda014016")], pictureParameterSets: [])
        }
    }

    private func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
}
