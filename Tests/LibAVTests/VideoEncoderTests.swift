import LibAV
import Media
import NIOCore
import Testing

@Suite struct VideoEncoderTests {
    @Test func `zero latency gives a packet for each picture at once, at its own time`() throws {
        let frames = try Pictures.frames("testsrc2=size=320x180:rate=30", count: 60)
        var encoder = try VideoEncoder(
            Pictures.configuration(options: [("preset", "ultrafast"), ("tune", "zerolatency")]))
        let packets = try Pictures.encode(frames, with: &encoder)
        #expect(packets.map(\.count) == Array(repeating: 1, count: 60) + [0])
        #expect(packets.flatMap { $0 }.map(\.presentationTime) == frames.map(\.presentationTime))
        #expect(packets.flatMap { $0 }.allSatisfy { $0.decodeTime == $0.presentationTime })
        #expect(frames[1].presentationTime == Timestamp(value: 3_000, timescale: 90_000))
    }

    @Test(arguments: ["ultrafast", "veryfast"])
    func `IDR pictures stand where they are asked for and nowhere else`(preset: String) throws {
        // Two sources in turn, ten pictures each: scene cuts that the encoder is not to follow.
        let frames = try Pictures.frames(
            "testsrc2=size=320x180:rate=30,negate=enable='lt(mod(n,20),10)'", count: 300)
        let keyframes: Set = [0, 17, 18, 299]
        var encoder = try VideoEncoder(
            Pictures.configuration(options: [("preset", preset), ("tune", "zerolatency")]))
        let packets = try Pictures.encode(frames, with: &encoder, keyframes: keyframes).flatMap { $0 }
        try #require(packets.count == 300)
        for (index, packet) in packets.enumerated() {
            #expect(Pictures.nalUnitTypes(packet).contains(5) == keyframes.contains(index), "\(index)")
            #expect(packet.isKeyframe == keyframes.contains(index), "\(index)")
        }
    }

    @Test func `a decoded keyframe does not become a keyframe by itself`() throws {
        let frames = try Pictures.frames("testsrc2=size=320x180:rate=30", count: 10)
        var first = try VideoEncoder(Pictures.configuration())
        let packets = try Pictures.encode(frames, with: &first, keyframes: Set(0..<10)).flatMap { $0 }
        #expect(packets.allSatisfy { Pictures.nalUnitTypes($0).contains(5) })
        let decoded = try Pictures.decode(packets, first.format)
        var second = try VideoEncoder(Pictures.configuration())
        let again = try Pictures.encode(decoded, with: &second).flatMap { $0 }
        #expect(again.map { Pictures.nalUnitTypes($0).contains(5) } == [true] + Array(repeating: false, count: 9))
    }

    @Test func `what was encoded decodes to the same pictures at the same times`() throws {
        let frames = try Pictures.frames("testsrc2=size=320x180:rate=30", count: 30)
        var encoder = try VideoEncoder(Pictures.configuration())
        let packets = try Pictures.encode(frames, with: &encoder).flatMap { $0 }
        let decoded = try Pictures.decode(packets, encoder.format)
        #expect(decoded.map(\.presentationTime) == frames.map(\.presentationTime))
        for (frame, original) in zip(decoded, frames) { #expect(Pictures.correlation(frame, original) > 0.95) }
        #expect(Pictures.correlation(frames[0], frames[29]) < 0.95)
        #expect(decoded.allSatisfy { !$0.isInterlaced })
    }

    @Test func `the format tells the picture's size, profile and rate`() throws {
        var configuration = Pictures.configuration(options: [("preset", "veryfast"), ("tune", "zerolatency")])
        configuration.profile = "main"
        let encoder = try VideoEncoder(configuration)
        guard case .h264(let format) = encoder.format else {
            Issue.record("not H.264")
            return
        }
        #expect((format.width, format.height) == (320, 180))
        #expect(format.profile == 77)
        #expect(format.framesPerSecond == 30)
        #expect(format.nalUnitLengthSize == 4)
        #expect(encoder.pixelFormat == "yuv420p")
    }

    @Test func `B-frames come back in order of presentation, and decode times never decrease`() throws {
        let frames = try Pictures.frames("testsrc2=size=320x180:rate=30", count: 60)
        var encoder = try VideoEncoder(Pictures.configuration(options: [("preset", "veryfast"), ("bf", "3")]))
        let packets = try Pictures.encode(frames, with: &encoder).flatMap { $0 }
        #expect(packets.contains { $0.presentationTime > $0.decodeTime })
        #expect(
            packets.contains { packet in
                packets.contains {
                    $0.decodeTime > packet.decodeTime
                        && $0.presentationTime < packet.presentationTime
                }
            })
        #expect(zip(packets, packets.dropFirst()).allSatisfy { $0.decodeTime < $1.decodeTime })
        #expect(packets.allSatisfy { $0.presentationTime >= $0.decodeTime })
        #expect(try Pictures.decode(packets, encoder.format).map(\.presentationTime) == frames.map(\.presentationTime))
    }

    @Test func `there are no B-frames but by an option`() throws {
        let frames = try Pictures.frames("testsrc2=size=320x180:rate=30", count: 60)
        var encoder = try VideoEncoder(Pictures.configuration(options: [("preset", "veryfast")]))
        let packets = try Pictures.encode(frames, with: &encoder).flatMap { $0 }
        #expect(packets.map(\.decodeTime) == frames.map(\.presentationTime))
        #expect(packets.map(\.presentationTime) == frames.map(\.presentationTime))
    }

    @Test func `captions survive encoding and decoding`() throws {
        let captions: [UInt8] = [0xFC, 0x94, 0x2C, 0xFD, 0x80, 0x80, 0xFA, 0, 0]
        let frames = try Pictures.frames("testsrc2=size=320x180:rate=30", count: 6)
        var captioned = frames
        captioned[3] = try frames[3].copy(captions: captions)
        var encoder = try VideoEncoder(Pictures.configuration())
        let packets = try Pictures.encode(captioned, with: &encoder).flatMap { $0 }
        let decoded = try Pictures.decode(packets, encoder.format)
        #expect(decoded.map(\.captions) == [[], [], [], captions, [], []])
        #expect(try decoded[3].copy(captions: []).captions == [])
        #expect(frames[3].captions == [])
    }

    @Test func `colours are signalled as the pictures have them`() throws {
        let frames = try Pictures.frames(
            "testsrc2=size=320x180:rate=30,setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709,"
                + "setsar=4/3", count: 3)
        var encoder = try VideoEncoder(Pictures.configuration(), colour: frames[0].layout)
        let packets = try Pictures.encode(frames, with: &encoder).flatMap { $0 }
        let decoded = try #require(try Pictures.decode(packets, encoder.format).first)
        #expect(decoded.layout.sampleAspectRatio == frames[0].layout.sampleAspectRatio)
        #expect(decoded.layout.colourPrimaries == 1 && decoded.layout.transferCharacteristics == 1)
        #expect(decoded.layout.matrixCoefficients == 1 && decoded.layout.isFullRange == false)
    }

    @Test func `the rate stays below the maximum that is asked for`() throws {
        let frames = try Pictures.frames(
            "nullsrc=size=320x180:rate=30,geq=random(1)*255:128:128,format=yuv420p", count: 120)
        var configuration = Pictures.configuration(options: [("preset", "ultrafast"), ("tune", "zerolatency")])
        (configuration.bitsPerSecond, configuration.maximumBitsPerSecond, configuration.bufferBits) =
            (2_000_000, 500_000, 250_000)
        var encoder = try VideoEncoder(configuration)
        let bytes = try Pictures.encode(frames, with: &encoder).flatMap { $0 }.reduce(0) { $0 + $1.data.readableBytes }
        // Four seconds, the buffer full at first, and a tenth for what noise makes of it.
        #expect(Double(bytes * 8) < (4 * 500_000 + 250_000) * 1.1)
    }

    @Test func `encoders and options that do not exist are named`() throws {
        func error(_ change: (inout VideoEncoder.Configuration) -> Void) -> LibAVError? {
            var configuration = Pictures.configuration()
            change(&configuration)
            do {
                let encoder = try VideoEncoder(configuration)
                _ = encoder.format
                return nil
            } catch {
                return error
            }
        }
        #expect(error { _ in } == nil)
        #expect(error { $0.encoder = "libx263" } == .unknownEncoder("libx263"))
        #expect(error { $0.encoder = "aac" } == .unknownEncoder("aac"))
        #expect(
            error { $0.options = [.init(name: "presets", value: "fast")] }
                == .unknownOption("presets", encoder: "libx264"))
        #expect(
            error { $0.options = [.init(name: "bf", value: "many")] }
                == .invalidValue("many", option: "bf", encoder: "libx264"))
        let preset = try #require(error { $0.options = [.init(name: "preset", value: "quick")] })
        #expect(preset.reason.contains("quick") && preset.reason.contains("ultrafast"), "\(preset.reason)")
        let profile = try #require(error { $0.profile = "lowest" })
        #expect(profile.reason.contains("lowest"), "\(profile.reason)")
        #expect(error { $0.width = 0 } != nil)
        #expect(error { $0.width = 321 } != nil)
        #expect(error { $0.framesPerSecond = .nan } != nil)
        #expect(error { $0.framesPerSecond = 0 } != nil)
    }

    @Test func `pictures of another size or pixel format are refused`() throws {
        var encoder = try VideoEncoder(Pictures.configuration())
        let good = try #require(try Pictures.frames("testsrc2=size=320x180", count: 1).first)
        for source in ["testsrc2=size=160x90", "testsrc2=size=1280x720", "testsrc2=size=320x180,format=yuv444p"] {
            let bad = try #require(try Pictures.frames(source, count: 1).first)
            #expect(throws: LibAVError.layoutDiffers) { try encoder.send(bad, forcesKeyframe: false) }
        }
        let sound = try #require(try Pictures.frames("sine", kind: .audio, count: 1).first)
        #expect(throws: LibAVError.layoutDiffers) { try encoder.send(sound, forcesKeyframe: false) }
        try encoder.send(good, forcesKeyframe: true)
        try encoder.end()
        let packet = try encoder.receive()
        #expect(packet?.isKeyframe == true)
    }

    @Test func `the inventory lists what can be opened`() {
        #expect(LibAVInventory.h264Encoders.contains("libx264"))
        #expect(!LibAVInventory.h264Encoders.contains("libx264rgb"))
        #expect(LibAVInventory.hasEncoder("libx264") && !LibAVInventory.hasEncoder("mpeg2video"))
    }
}
