import IngestServer
import LibAV
import Media
import Testing

@Suite struct TestPatternTests {
    @Test func `everything the test picture takes is there`() throws {
        try TestPattern.verify()
    }

    @Test func `flash and beep begin with each second`() throws {
        var media = try TestPatternMedia()
        var packets: [TrackKind: [MediaPacket]] = [:]
        for number in Int64(0)..<50 {
            let time = TestPatternMedia.time(ofFrame: number)
            packets[.video, default: []] += try media.picture(
                at: time, text: "12:34:56.789", isKeyframe: number % 30 == 0)
            packets[.audio, default: []] += try media.sound(until: TestPatternMedia.time(ofFrame: number + 1))
        }
        let video = packets[.video, default: []]
        #expect(video.map(\.presentationTime.value) == (0..<50).map { $0 * 3_000 })
        #expect(video.filter(\.isKeyframe).map(\.presentationTime.value) == [0, 90_000])

        let formats = media.formats
        let flashes = try Self.decode(video, try #require(formats.first)).filter { $0.luma(x: 20, y: 20) > 220 }
        #expect(flashes.map(\.presentationTime.value) == [0, 3_000, 6_000, 90_000, 93_000, 96_000])

        let sounds = try Self.decode(packets[.audio, default: []], try #require(formats.last))
        var loudest: [Int: Float] = [:]  // by hundredths of a second
        for sound in sounds {
            for (index, sample) in sound.samples(channel: 1).enumerated() {
                let time = sound.presentationTime.value + Int64(index) * 90_000 / 48_000
                loudest[Int(time / 900), default: 0] = max(loudest[Int(time / 900), default: 0], abs(sample))
            }
        }
        let beeping = loudest.filter { $0.key >= 5 && $0.value > 0.1 }.keys.sorted()
        #expect(beeping == Array(5..<10) + Array(100..<110))
    }

    private static func decode(_ packets: [MediaPacket], _ format: TrackFormat) throws -> [Frame] {
        var decoder = try Decoder(format)
        var frames: [Frame] = []
        for packet in packets {
            try decoder.send(packet)
            while let frame = try decoder.receive() { frames.append(frame) }
        }
        try decoder.end()
        while let frame = try decoder.receive() { frames.append(frame) }
        return frames
    }
}
