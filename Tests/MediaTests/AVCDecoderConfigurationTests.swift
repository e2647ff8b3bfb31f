import NIOCore
import Testing

import Media

@Suite struct AVCDecoderConfigurationTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var hex: String
        var codecs: String
        var width: Int
        var height: Int
        var framesPerSecond: Double?

        var testDescription: String { name }
    }

    /// Records of x264's; the sizes are what a decoder gave.
    static let table = [
        Case(
            name: "baseline 720p30",
            hex: "0142c01fffe100176742c01fda014016ec0440000003004000000f03c60ca801000468ce0fc8",
            codecs: "avc1.42c01f", width: 1_280, height: 720, framesPerSecond: 30),
        Case(
            name: "baseline 360p25, cropped",
            hex: "0142c01effe100196742c01ed900a02ff97011000003000100000300320f162e4801000568cb83cb20",
            codecs: "avc1.42c01e", width: 640, height: 360, framesPerSecond: 25),
        Case(
            name: "high 1080p29.97, cropped",
            hex: "01640028ffe1001967640028acd940780227e5c04400000fa40003a9803c60c65801000668ebe3cb22c0fdf8f800",
            codecs: "avc1.640028", width: 1_920, height: 1_080, framesPerSecond: 30_000 / 1_001),
        Case(
            name: "high 1080i25, cropped in field units",
            hex: "01640028ffe1001a67640028acd94078044fde0220000003002000000643e2c5b2c001000668fba3cb22c0fdf8f800",
            codecs: "avc1.640028", width: 1_920, height: 1_080, framesPerSecond: 25),
        Case(
            name: "high 854x480 with scaling matrices",
            hex: "0164001fffe1001a6764001facd940d83de6f011000003000100000300780f18319601000768ebe3cb3002c0fdf8f800",
            codecs: "avc1.64001f", width: 854, height: 480, framesPerSecond: 60),
        Case(
            name: "monochrome 320x180",
            hex: "0164000cffe100196764000cf36505067e37016c800000030080000018078a14cb01000668ebe3cb22c0fcf8f800",
            codecs: "avc1.64000c", width: 320, height: 180, framesPerSecond: 24),
        Case(
            name: "high 4:2:2, 10 bit, 322x182",
            hex: "017a000dffe1001b677a000db6cd941519e222f011000003000100000300300f14299601000668ebe3cb22c0fefafa00",
            codecs: "avc1.7a000d", width: 322, height: 182, framesPerSecond: 24),
        Case(
            name: "high 4:4:4 with a sample aspect ratio of 4:3",
            hex: "01f4000cffe1001967f4000c919b282833f1b870800000030080000018078a14cb01000668ebe3c44844fff8f800",
            codecs: "avc1.f4000c", width: 320, height: 180, framesPerSecond: 24),
    ]

    @Test(arguments: table) func `encoders' records are read`(_ record: Case) throws {
        let bytes = ByteBuffer(hex: record.hex)
        let configuration = try AVCDecoderConfiguration(bytes)
        #expect(configuration.bytes == bytes)
        #expect(configuration.codecs == record.codecs)
        #expect(configuration.width == record.width)
        #expect(configuration.height == record.height)
        #expect(configuration.framesPerSecond == record.framesPerSecond)
        #expect(configuration.nalUnitLengthSize == 4)
        #expect(configuration.sequenceParameterSets.map { $0.getInteger(at: 0, as: UInt8.self) } == [0x67])
        #expect(configuration.pictureParameterSets.map { $0.getInteger(at: 0, as: UInt8.self) } == [0x68])
        #expect(TrackFormat.h264(configuration).codecs == record.codecs)
    }

    @Test(arguments: table) func `a record cut anywhere before its end is refused`(_ record: Case) throws {
        let bytes = ByteBuffer(hex: record.hex)
        let configuration = try AVCDecoderConfiguration(bytes)
        let sets = configuration.sequenceParameterSets + configuration.pictureParameterSets
        let end = 7 + sets.reduce(0) { $0 + 2 + $1.readableBytes }
        for length in 0..<end {
            #expect(throws: MediaError.truncated) {
                try AVCDecoderConfiguration(bytes.getSlice(at: 0, length: length)!)
            }
        }
        #expect(throws: Never.self) { try AVCDecoderConfiguration(bytes.getSlice(at: 0, length: end)!) }
    }

    @Test func `records are equal when their bytes are`() throws {
        let first = try AVCDecoderConfiguration(ByteBuffer(hex: Self.table[0].hex))
        var shifted = ByteBuffer(hex: "ffff" + Self.table[0].hex)
        shifted.moveReaderIndex(forwardBy: 2)
        let again = try AVCDecoderConfiguration(shifted)
        let longer = try AVCDecoderConfiguration(ByteBuffer(hex: Self.table[0].hex + "00"))
        #expect(first == again)
        #expect(first.hashValue == again.hashValue)
        #expect(first != longer)
    }

    @Test func `bytes that no record may have are refused`() {
        let hex = Self.table[0].hex
        func refusal(_ hex: String) -> MediaError? {
            do throws(MediaError) {
                _ = try AVCDecoderConfiguration(ByteBuffer(hex: hex))
                return nil
            } catch {
                return error
            }
        }
        #expect(refusal("00" + hex.dropFirst(2)) == .invalid(.configurationVersion))
        #expect(refusal("0142c01ffee1" + hex.dropFirst(12)) == .invalid(.lengthSizeMinusOne))
        #expect(refusal("0142c01fffe000") == .missingSequenceParameterSet)
        #expect(refusal("0142c01fffe100176842" + hex.dropFirst(20)) == .invalid(.nalUnitType))
        #expect(refusal(hex + String(repeating: "00", count: 4_096)) == .tooLarge(limitBytes: 4_096))
    }
}

@Suite struct SequenceParameterSetTests {
    /// A set of the main profile, as wide and high as said, the picture order counted as said.
    private func set(
        _ width: UInt32, _ height: UInt32, crop: [UInt32] = [], isFrameOnly: Bool = true,
        pictureOrder: (inout BitWriter) -> Void = { $0.unsigned(2) }, vui: (inout BitWriter) -> Void = { $0.bits(0, 1) }
    ) -> [UInt8] {
        var writer = BitWriter()
        writer.bits(0x67, 8)
        writer.bits(77, 8)
        writer.bits(0x001F, 16)
        writer.unsigned(0)
        writer.unsigned(0)
        pictureOrder(&writer)
        writer.unsigned(1)
        writer.bits(0, 1)
        writer.unsigned(width - 1)
        writer.unsigned(height - 1)
        writer.bits(isFrameOnly ? 1 : 0, 1)
        if !isFrameOnly { writer.bits(0, 1) }
        writer.bits(1, 1)
        writer.bits(crop.isEmpty ? 0 : 1, 1)
        for offset in crop { writer.unsigned(offset) }
        vui(&writer)
        writer.bits(1, 1)
        return writer.bytes
    }

    @Test func `every way to count the picture order is passed over`() throws {
        let one = set(
            80, 45,
            pictureOrder: {
                $0.unsigned(1)
                $0.bits(0, 1)
                for code: UInt32 in [7, 8, 3, 1, 2, 600] { $0.unsigned(code) }
            })
        let zero = set(
            80, 45,
            pictureOrder: {
                $0.unsigned(0)
                $0.unsigned(12)
            })
        for bytes in [set(80, 45), one, zero] {
            let parsed = try SequenceParameterSet(nalUnit: bytes)
            #expect(parsed.width == 1_280 && parsed.height == 720 && parsed.framesPerSecond == nil)
        }
    }

    @Test func `fields are cropped in steps of four lines`() throws {
        let parsed = try SequenceParameterSet(nalUnit: set(120, 34, crop: [0, 0, 0, 2], isFrameOnly: false))
        #expect(parsed.width == 1_920 && parsed.height == 1_080)
    }

    @Test func `a picture larger than any level allows is refused`() {
        #expect(throws: Never.self) { try SequenceParameterSet(nalUnit: set(1_055, 1_055)) }
        #expect(throws: MediaError.invalid(.pictureSize)) { try SequenceParameterSet(nalUnit: set(1_056, 1)) }
        #expect(throws: MediaError.invalid(.pictureSize)) { try SequenceParameterSet(nalUnit: set(1, 1_056)) }
        #expect(throws: MediaError.invalid(.pictureSize)) {
            try SequenceParameterSet(nalUnit: set(1, 528, isFrameOnly: false))
        }
        #expect(throws: MediaError.invalid(.pictureSize)) { try SequenceParameterSet(nalUnit: set(.max - 1, 1)) }
    }

    @Test func `cropping that leaves nothing is refused`() {
        #expect(throws: MediaError.invalid(.frameCropping)) {
            try SequenceParameterSet(nalUnit: set(10, 10, crop: [40, 40, 0, 0]))
        }
        #expect(throws: MediaError.invalid(.frameCropping)) {
            try SequenceParameterSet(nalUnit: set(10, 10, crop: [0, .max - 1, 0, 0]))
        }
    }

    @Test func `a timing that makes no sense gives no frame rate`() throws {
        func rate(_ units: UInt32, _ scale: UInt32) throws -> Double? {
            let bytes = set(
                80, 45,
                vui: {
                    $0.bits(0b1_0000_1, 6)
                    $0.bits(units, 32)
                    $0.bits(scale, 32)
                })
            return try SequenceParameterSet(nalUnit: bytes.withEmulationPrevention).framesPerSecond
        }
        #expect(try rate(1, 50) == 25)
        #expect(try rate(1_001, 120_000) == 60_000 / 1_001)
        #expect(try rate(0, 50) == nil)
        #expect(try rate(1, 0) == nil)
        #expect(try rate(1, 180_000) == nil)
        #expect(try rate(.max, 1) == nil)
    }

    @Test func `a usability description that is cut off costs the frame rate alone`() throws {
        let bytes = set(
            80, 45,
            vui: {
                $0.bits(0b1_0000_1, 6)
                $0.bits(1, 32)
            })
        let parsed = try SequenceParameterSet(nalUnit: bytes)
        #expect(parsed.width == 1_280 && parsed.framesPerSecond == nil)
    }
}
