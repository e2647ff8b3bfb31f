import Media
import NIOCore
import Testing

@Suite struct ADTSFrameTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var hex: String
        var configuration: String
        var accessUnit: String
        var rest = ""

        var testDescription: String { name }
    }

    static let table = [
        Case(name: "LC, 48 kHz, stereo", hex: "fff14c80015ffcde02aa", configuration: "1190", accessUnit: "de02aa"),
        Case(name: "44.1 kHz, mono", hex: "fff15040011ffcde", configuration: "1208", accessUnit: "de"),
        Case(name: "MPEG-2, 5.1", hex: "fff94d80011ffcde", configuration: "11b0", accessUnit: "de"),
        Case(name: "with a check", hex: "fff04c80015ffcbeefde", configuration: "1190", accessUnit: "de"),
        Case(name: "two frames", hex: "fff14c80011ffcdefff1", configuration: "1190", accessUnit: "de", rest: "fff1"),
        Case(name: "nothing in it", hex: "fff14c8000fffc", configuration: "1190", accessUnit: ""),
    ]

    @Test(arguments: table) func `frames are taken apart`(_ frame: Case) throws {
        var bytes = ByteBuffer(hex: frame.hex)
        let parsed = try ADTSFrame(&bytes)
        #expect(parsed.configuration.bytes == ByteBuffer(hex: frame.configuration))
        #expect(parsed.accessUnit == ByteBuffer(hex: frame.accessUnit))
        #expect(bytes == ByteBuffer(hex: frame.rest))
    }

    @Test(
        arguments: [
            ("", .truncated), ("fff14c80015ffc", .truncated), ("fff14c80015ffcde02", .truncated),
            ("ffe14c80015ffcde02aa", .invalid(.syncword)), ("fff34c80015ffcde02aa", .invalid(.layer)),
            ("fff17480015ffcde02aa", .invalid(.samplingFrequency)),
            ("fff14c00015ffcde02aa", .invalid(.channelConfiguration)),
            ("fff14c80015ffdde02aa", .invalid(.rawDataBlocks)), ("fff14c8000dffc", .invalid(.frameLength)),
            ("fff04c80011ffcde", .invalid(.frameLength)),
        ] as [(String, MediaError)])
    func `what is no frame is refused and stays`(hex: String, error: MediaError) {
        let bytes = ByteBuffer(hex: hex)
        var rest = bytes
        #expect(throws: error) { try ADTSFrame(&rest) }
        #expect(rest == bytes)
    }
}
