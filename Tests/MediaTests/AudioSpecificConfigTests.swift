import Media
import NIOCore
import Testing

@Suite struct AudioSpecificConfigTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var hex: String
        var objectType: Int
        var sampleRate: Int
        var channelCount: Int?
        var samples = 1_024

        var testDescription: String { name }
    }

    static let table = [
        Case(name: "LC, 48 kHz, stereo", hex: "1190", objectType: 2, sampleRate: 48_000, channelCount: 2),
        Case(
            name: "ffmpeg, which says there is no SBR", hex: "119056e500", objectType: 2, sampleRate: 48_000,
            channelCount: 2),
        Case(name: "ffmpeg, 44.1 kHz, mono", hex: "120856e500", objectType: 2, sampleRate: 44_100, channelCount: 1),
        Case(name: "ffmpeg, 96 kHz, 5.1", hex: "103056e500", objectType: 2, sampleRate: 96_000, channelCount: 6),
        Case(name: "LC, 7.1", hex: "11b8", objectType: 2, sampleRate: 48_000, channelCount: 8),
        Case(name: "frames of 960", hex: "1194", objectType: 2, sampleRate: 48_000, channelCount: 2, samples: 960),
        Case(name: "a frequency said outright", hex: "1780484410", objectType: 2, sampleRate: 37_000, channelCount: 2),
        Case(
            name: "SBR by hierarchy", hex: "2b118800", objectType: 5, sampleRate: 48_000, channelCount: 2,
            samples: 2_048),
        Case(
            name: "PS by hierarchy", hex: "eb098800", objectType: 29, sampleRate: 48_000, channelCount: 2,
            samples: 2_048),
        Case(
            name: "SBR behind its sync word", hex: "131056e598", objectType: 5, sampleRate: 48_000, channelCount: 2,
            samples: 2_048),
        Case(
            name: "SBR and PS behind theirs", hex: "130856e59d4880", objectType: 29, sampleRate: 48_000,
            channelCount: 2,
            samples: 2_048),
        Case(name: "an escaped object type", hex: "f94640", objectType: 42, sampleRate: 48_000, channelCount: 2),
        Case(name: "low delay", hex: "b99000", objectType: 23, sampleRate: 48_000, channelCount: 2, samples: 512),
        Case(
            name: "channels by program config element", hex: "1180aabb", objectType: 2, sampleRate: 48_000,
            channelCount: nil),
    ]

    @Test(arguments: table) func `encoders' records are read`(_ record: Case) throws {
        let bytes = ByteBuffer(hex: record.hex)
        let configuration = try AudioSpecificConfig(bytes)
        #expect(configuration.bytes == bytes)
        #expect(configuration.objectType == record.objectType)
        #expect(configuration.sampleRate == record.sampleRate)
        #expect(configuration.channelCount == record.channelCount)
        #expect(configuration.samplesPerAccessUnit == record.samples)
        #expect(TrackFormat.aac(configuration).codecs == "mp4a.40.\(record.objectType)")
    }

    @Test(
        arguments: [
            ("", .truncated), ("11", .truncated), ("17804844", .truncated), ("2b11", .truncated),
            ("0190", .invalid(.audioObjectType)), ("1690", .invalid(.samplingFrequency)),
            ("1780000010", .invalid(.samplingFrequency)),
            (String(repeating: "11", count: 4_097), .tooLarge(limitBytes: 4_096)),
        ] as [(String, MediaError)])
    func `what is no record is refused`(hex: String, error: MediaError) {
        #expect(throws: error) { try AudioSpecificConfig(ByteBuffer(hex: hex)) }
    }

    @Test func `records are equal when their bytes are`() throws {
        let short = try AudioSpecificConfig(ByteBuffer(hex: "1190"))
        #expect(try AudioSpecificConfig(ByteBuffer(hex: "1190")) == short)
        #expect(try AudioSpecificConfig(ByteBuffer(hex: "119056e500")) != short)
    }
}
