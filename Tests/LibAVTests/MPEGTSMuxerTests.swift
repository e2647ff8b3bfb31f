import LibAV
import Media
import NIOCore
import Testing

@Suite struct MPEGTSMuxerTests {
    /// A baseline 320x180 picture's parameter sets, as x264 writes them.
    static let video = try? TrackFormat.h264(
        AVCDecoderConfiguration(
            ByteBuffer(bytes: [
                1, 0x42, 0xC0, 0x0C, 0xFF, 0xE1, 0, 0x16, 0x67, 0x42, 0xC0, 0x0C, 0xDA, 0x05, 0x06, 0x7E, 0x5C, 0x04,
                0x40, 0, 0, 3, 0, 0x40, 0, 0, 0x0F, 0x23, 0xC5, 0x0A, 1, 0, 4, 0x68, 0xCE, 0x0F, 0xC8,
            ])))
    static let audio = try? TrackFormat.aac(AudioSpecificConfig(ByteBuffer(bytes: [0x11, 0x90])))

    private func packet(_ track: TrackKind, _ milliseconds: Int64, key: Bool = true, bytes: Int = 400) -> MediaPacket {
        var data = ByteBuffer()
        if track == .video {
            data.writeInteger(UInt32(bytes))
            data.writeInteger(UInt8(key ? 0x65 : 0x41))
            data.writeRepeatingByte(0x88, count: bytes - 1)
        } else {
            data.writeRepeatingByte(0x21, count: bytes)
        }
        let time = Timestamp.milliseconds(milliseconds)
        return MediaPacket(track: track, decodeTime: time, presentationTime: time, isKeyframe: key, data: data)
    }

    private func identifiers(_ bytes: ByteBuffer) -> [Int] {
        let bytes = Array(bytes.readableBytesView)
        return stride(from: 0, to: bytes.count, by: 188).map { Int(bytes[$0 + 1] & 0x1F) << 8 | Int(bytes[$0 + 2]) }
    }

    @Test func `every access unit leaves with the call that brought it, whole packets each time`() throws {
        var muxer = try MPEGTSMuxer([try #require(Self.video), try #require(Self.audio)])
        var sizes: [Int] = []
        for index in 0..<30 {
            sizes.append(try muxer.write(packet(.video, Int64(index) * 33 + 10_000, key: index == 0)).readableBytes)
            sizes.append(try muxer.write(packet(.audio, Int64(index) * 33 + 10_005)).readableBytes)
        }
        #expect(sizes.allSatisfy { $0 > 400 && $0 % 188 == 0 })
    }

    @Test func `PAT and PMT stand right before each keyframe and nowhere else`() throws {
        var muxer = try MPEGTSMuxer([try #require(Self.video), try #require(Self.audio)])
        for index in 0..<90 {
            let isKeyframe = index % 30 == 0
            let packets = identifiers(
                try muxer.write(packet(.video, Int64(index) * 33 + 10_000, key: isKeyframe)))
            if isKeyframe {
                #expect(packets.prefix(3) == [0, 0x1000, 0x100])
            } else {
                #expect(Set(packets) == [0x100])
            }
            #expect(Set(identifiers(try muxer.write(packet(.audio, Int64(index) * 33 + 10_001)))) == [0x101])
        }
    }

    @Test func `audio alone gets its tables when they are asked for`() throws {
        var muxer = try MPEGTSMuxer([try #require(Self.audio)])
        #expect(identifiers(try muxer.write(packet(.audio, 10_000))).prefix(3) == [0, 0x1000, 0x100])
        #expect(Set(identifiers(try muxer.write(packet(.audio, 10_021)))) == [0x100])
        try muxer.repeatTables()
        #expect(identifiers(try muxer.write(packet(.audio, 10_043))).prefix(3) == [0, 0x1000, 0x100])
    }

    @Test func `garbage for an access unit is an error or bytes, never a trap`() throws {
        var muxer = try MPEGTSMuxer([try #require(Self.video), try #require(Self.audio)])
        for length in [0, 1, 3, 4, 5, 100] {
            for track in TrackKind.allCases {
                var data = ByteBuffer()
                data.writeRepeatingByte(0xFF, count: length)
                let time = Timestamp.milliseconds(Int64(10_000 + length))
                _ = try? muxer.write(
                    MediaPacket(
                        track: track, decodeTime: time, presentationTime: time, isKeyframe: true, data: data))
            }
        }
        #expect(try muxer.write(packet(.video, 20_000)).readableBytes > 0)
    }

    @Test func `an access unit of thousands of IDR slices, or of broken lengths, is refused before it is muxed`() throws
    {
        var muxer = try MPEGTSMuxer([try #require(Self.video)])
        func unit(_ nalUnits: Int, _ length: UInt32) -> MediaPacket {
            var data = ByteBuffer()
            for _ in 0..<nalUnits {
                data.writeInteger(length)
                data.writeBytes([0x65, 0x88])
            }
            let time = Timestamp.milliseconds(10_000)
            return MediaPacket(track: .video, decodeTime: time, presentationTime: time, isKeyframe: true, data: data)
        }
        #expect(throws: LibAVError.malformedAccessUnit) { _ = try muxer.write(unit(30_000, 2)) }
        #expect(throws: LibAVError.malformedAccessUnit) { _ = try muxer.write(unit(1, 3)) }
        #expect(throws: LibAVError.malformedAccessUnit) { _ = try muxer.write(unit(1, .max)) }
        #expect(try muxer.write(unit(8, 2)).readableBytes > 0)
    }
}
