import LibAV
import Media
import NIOCore
import Testing

@Suite struct DecoderTests {
    private func encoded(_ count: Int, _ options: [(String, String)]) throws -> (TrackFormat, [MediaPacket]) {
        let frames = try Pictures.frames("testsrc2=size=320x180:rate=30", count: count)
        var encoder = try VideoEncoder(Pictures.configuration(options: options))
        let packets = try Pictures.encode(frames, with: &encoder).flatMap { $0 }
        return (encoder.format, packets)
    }

    @Test func `without B-frames each packet gives its picture at once`() throws {
        let (format, packets) = try encoded(30, [("preset", "veryfast"), ("tune", "zerolatency")])
        var decoder = try Decoder(format)
        for packet in packets {
            try decoder.send(packet)
            let frame = try decoder.receive()
            #expect(frame?.presentationTime == packet.presentationTime)
            let next = try decoder.receive()
            #expect(next == nil)
        }
    }

    @Test func `where the stream does not tell that nothing is reordered, pictures come at once all the same`() throws {
        var configuration = Pictures.configuration(
            options: [("preset", "veryfast"), ("bf", "1"), ("b_strategy", "1"), ("b-bias", "-100")])
        configuration.profile = "main"
        var encoder = try VideoEncoder(configuration)
        let frames = try Pictures.frames("testsrc2=size=320x180:rate=30", count: 30)
        let packets = try Pictures.encode(frames, with: &encoder).flatMap { $0 }
        try #require(packets.map(\.presentationTime) == frames.map(\.presentationTime))
        var decoder = try Decoder(try Pictures.withoutUsabilityInformation(encoder.format))
        for packet in packets {
            try decoder.send(packet)
            let frame = try decoder.receive()
            #expect(frame?.presentationTime == packet.presentationTime)
        }
    }

    @Test func `where the stream does not tell how far it reorders, order is found within a few pictures`() throws {
        var configuration = Pictures.configuration(options: [("preset", "veryfast"), ("bf", "2"), ("b_strategy", "0")])
        configuration.profile = "main"
        var encoder = try VideoEncoder(configuration)
        let frames = try Pictures.frames("testsrc2=size=320x180:rate=30", count: 60)
        let packets = try Pictures.encode(frames, with: &encoder).flatMap { $0 }
        let decoded = try Pictures.decode(packets, try Pictures.withoutUsabilityInformation(encoder.format))
        let times = decoded.map(\.presentationTime)
        #expect(
            Array(times.suffix(50)) == frames.map(\.presentationTime).suffix(50), "\(times.map { $0.value / 3_000 })")
    }

    @Test func `a frame keeps its data when the decoder is gone`() throws {
        let (format, packets) = try encoded(1, [("preset", "ultrafast")])
        let frame = try #require(try Pictures.decode(packets, format).first)
        let original = try #require(try Pictures.frames("testsrc2=size=320x180:rate=30", count: 1).first)
        #expect(Pictures.correlation(frame, original) > 0.95)
        #expect((frame.luma(x: -1, y: 0), frame.luma(x: 320, y: 0), frame.luma(x: 0, y: 180)) == (0, 0, 0))
    }

    @Test func `corrupt packets are recoverable errors, and decoding goes on with the next keyframe`() throws {
        let (format, packets) = try encoded(40, [("preset", "ultrafast")])
        var decoder = try Decoder(format)
        var random = SystemRandomNumberGenerator()
        var errors = 0
        for packet in packets {
            for shape in 0..<3 {
                var damaged = packet
                var bytes = Array(packet.data.readableBytesView)
                switch shape {
                case 0: bytes = Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &random)))
                case 1:
                    for _ in 0..<20 { bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255) }
                default: bytes = (0..<400).map { _ in .random(in: 0...255) }
                }
                damaged.data = ByteBuffer(bytes: bytes)
                do {
                    try decoder.send(damaged)
                    while try decoder.receive() != nil {}
                } catch let error {
                    #expect(error.isRecoverable, "\(error)")
                    errors += 1
                }
                while (try? decoder.receive()) ?? nil != nil {}
            }
        }
        #expect(errors > 0)
        try decoder.send(packets[0])
        try decoder.end()
        var last: Frame?
        while let frame = try decoder.receive() { last = frame }
        #expect(last?.presentationTime == packets[0].presentationTime)
    }

    @Test func `a packet of nothing is an error and not the end`() throws {
        let (format, packets) = try encoded(2, [("preset", "ultrafast")])
        var decoder = try Decoder(format)
        var empty = packets[0]
        empty.data = ByteBuffer()
        do {
            try decoder.send(empty)
            Issue.record("taken")
        } catch {
            #expect(error.isRecoverable)
        }
        try decoder.send(packets[0])
        let frame = try decoder.receive()
        #expect(frame?.presentationTime == packets[0].presentationTime)
    }

    @Test func `uncompressed sound of other formats is decoded`() throws {
        // AV_CODEC_ID_PCM_S16LE
        let parameters = CodecParameters(
            kind: .audio, name: "pcm_s16le", identifier: 0x10000, sampleRate: 44_100, channelCount: 2,
            bitsPerCodedSample: 16, blockAlign: 4)
        var data = ByteBuffer()
        for _ in 0..<441 { data.writeMultipleIntegers(Int16(16_384), Int16(-16_384), endianness: .little) }
        let time = Timestamp.milliseconds(10_000)
        let packet = MediaPacket(
            track: .audio, decodeTime: time, presentationTime: time, isKeyframe: true, data: data)
        let frame = try #require(try Pictures.decode([packet], .other(parameters)).first)
        #expect((frame.kind, frame.sampleCount, frame.layout.sampleRate) == (.audio, 441, 44_100))
        #expect((frame.layout.channelLayout, frame.layout.formatName) == ("stereo", "s16"))
        #expect(frame.presentationTime == Timestamp(value: 900_000, timescale: 90_000))
        let planes = try #require(try Pictures.filter([frame], "aformat=sample_fmts=fltp").first)
        #expect(planes.samples(channel: 0) == Array(repeating: 0.5, count: 441))
        #expect(planes.samples(channel: 1) == Array(repeating: -0.5, count: 441))
        #expect(planes.samples(channel: 2).isEmpty)
    }

    @Test func `a codec that is not there is named`() throws {
        #expect(throws: LibAVError.missing("a decoder for vp99")) {
            _ = try Pictures.decode([], .other(CodecParameters(kind: .video, name: "vp99", identifier: 0xFFFFFF)))
        }
    }
}
