import LibAV
import Media
import NIOCore
import Testing

@Suite struct AudioEncoderTests {
    private func encode(
        _ frames: [Frame], with encoder: inout AudioEncoder
    ) throws -> [MediaPacket] {
        var packets: [MediaPacket] = []
        for frame in frames {
            try encoder.send(frame)
            while let packet = try encoder.receive() { packets.append(packet) }
        }
        try encoder.end()
        while let packet = try encoder.receive() { packets.append(packet) }
        return packets
    }

    /// Where sound begins, in seconds, and how loud it is from there on.
    private func onset(_ frames: [Frame]) -> (seconds: Double, peak: Float)? {
        for frame in frames {
            let samples = frame.samples(channel: 0)
            if let index = samples.firstIndex(where: { abs($0) > 0.02 }) {
                let seconds = frame.presentationTime.seconds + Double(index) / Double(frame.layout.sampleRate)
                return (seconds, frames.flatMap { $0.samples(channel: 0) }.reduce(0) { max($0, abs($1)) })
            }
        }
        return nil
    }

    @Test(arguments: [(44_100, "5.1"), (44_100, "mono"), (48_000, "stereo"), (32_000, "7.1")])
    func `sound of any rate and layout becomes 48 kHz stereo without gaps`(rate: Int, layout: String) throws {
        var frames = try Pictures.frames(
            "sine=frequency=1000:sample_rate=\(rate):duration=4,aformat=channel_layouts=\(layout)", kind: .audio,
            count: .max)
        // As it comes from the door: from 10 s on, times in whole milliseconds.
        frames = try frames.map { frame in
            let milliseconds = frame.presentationTime.rescaled(to: 1_000).value
            return try frame.copy(presentationTime: .milliseconds(10_000 + milliseconds))
        }
        #expect(frames[0].layout.sampleRate == rate && frames[0].layout.channelLayout == layout)
        var encoder = try AudioEncoder(AudioEncoder.Configuration(bitsPerSecond: 96_000))
        #expect(encoder.samplesPerFrame == 1_024)
        let converted = try Pictures.filter(
            frames,
            "aresample=48000:async=1000,aformat=sample_fmts=fltp:sample_rates=48000:channel_layouts=stereo",
            frameSize: encoder.samplesPerFrame)
        #expect(converted.dropLast().allSatisfy { $0.sampleCount == 1_024 && $0.layout.channelLayout == "stereo" })
        let packets = try encode(converted, with: &encoder)
        // Four seconds are 187.5 frames; one more stands ahead, and one for what the resampler or the door's rounding adds.
        #expect((188...190).contains(packets.count), "\(packets.count)")
        let first = try #require(packets.first).presentationTime.value
        #expect(abs(first - (900_000 - 1_920)) <= 2)
        for (index, packet) in packets.enumerated() {
            #expect(packet.presentationTime.value == first + Int64(index) * 1_920)
            #expect(packet.decodeTime == packet.presentationTime)
        }
        let decoded = try Pictures.decode(packets, encoder.format)
        let sound = try #require(onset(decoded))
        #expect(abs(sound.seconds - 10) < 0.01, "\(sound)")
        #expect(sound.peak > 0.05)
    }

    @Test func `the format tells rate and channels`() throws {
        for (rate, channels) in [(48_000, 2), (44_100, 1), (48_000, 6)] {
            let encoder = try AudioEncoder(
                AudioEncoder.Configuration(sampleRate: rate, channelCount: channels, bitsPerSecond: 128_000))
            guard case .aac(let format) = encoder.format else {
                Issue.record("not AAC")
                return
            }
            #expect((format.objectType, format.sampleRate, format.channelCount) == (2, rate, channels))
            #expect(format.samplesPerAccessUnit == encoder.samplesPerFrame)
        }
    }

    @Test func `what it cannot encode is refused`() throws {
        for (rate, channels) in [(48_001, 2), (48_000, 0), (48_000, 99), (0, 2), (-1, -1)] {
            #expect(throws: LibAVError.self) {
                let encoder = try AudioEncoder(
                    AudioEncoder.Configuration(sampleRate: rate, channelCount: channels, bitsPerSecond: 96_000))
                _ = encoder.format
            }
        }
        var encoder = try AudioEncoder(AudioEncoder.Configuration(bitsPerSecond: 96_000))
        for source in [
            "sine=sample_rate=44100,aformat=sample_fmts=fltp:channel_layouts=stereo",
            "sine=sample_rate=48000,aformat=sample_fmts=fltp:channel_layouts=mono",
            "sine=sample_rate=48000,aformat=sample_fmts=s16:channel_layouts=stereo",
            "sine=sample_rate=48000:samples_per_frame=1025,aformat=sample_fmts=fltp:channel_layouts=stereo",
        ] {
            let frame = try #require(try Pictures.frames(source, kind: .audio, count: 1).first)
            #expect(throws: LibAVError.layoutDiffers) { try encoder.send(frame) }
        }
    }
}
