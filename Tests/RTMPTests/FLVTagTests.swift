import NIOCore
import RTMP
import Testing

@Suite struct FLVTagTests {
    @Test(arguments: [
        WireCase("sequence header", hex("17 00 000000 0164001F"), FLVVideoTag.sequenceHeader(hex("0164001F"))),
        WireCase(
            "keyframe", hex("17 01 000000 AABB"), .nalUnits(frameType: .key, compositionTime: 0, hex("AABB"))),
        WireCase(
            "inter frame shown later", hex("27 01 000042 AABB"),
            .nalUnits(frameType: .inter, compositionTime: 66, hex("AABB"))),
        WireCase(
            "shown earlier", hex("27 01 FFFFD8 AA"), .nalUnits(frameType: .inter, compositionTime: -40, hex("AA"))),
        WireCase(
            "the latest", hex("37 01 7FFFFF AA"),
            .nalUnits(frameType: .disposableInter, compositionTime: 8_388_607, hex("AA"))),
        WireCase(
            "the earliest", hex("47 01 800000 AA"),
            .nalUnits(frameType: .generatedKey, compositionTime: -8_388_608, hex("AA"))),
        WireCase("end of sequence", hex("17 02 000000"), .endOfSequence),
        WireCase("command frame", hex("57 00"), .command),
        WireCase("no bytes", hex(""), .empty),
    ]) func `a video tag reads and writes`(row: WireCase<FLVVideoTag>) throws {
        #expect(try FLVVideoTag.decode(row.bytes) == row.value)
        #expect(row.value.encode() == row.bytes)
        for length in 0..<row.bytes.readableBytes { _ = try? FLVVideoTag.decode(row.bytes.prefix(length)) }
    }

    @Test(arguments: [
        WireCase("end of sequence in two bytes", hex("17 02"), FLVVideoTag.endOfSequence),
        WireCase("a keyframe without NAL units", hex("17 01 000000"), .empty),
        WireCase("a command frame of another codec", hex("52"), .command),
        WireCase("a command frame of Enhanced RTMP", hex("D0 00"), .command),
    ]) func `a video tag that is not written like this reads`(row: WireCase<FLVVideoTag>) throws {
        #expect(try FLVVideoTag.decode(row.bytes) == row.value)
    }

    @Test(arguments: [
        WireCase("codec byte alone", hex("17"), RTMPError.tagTruncated),
        WireCase("no composition time", hex("17 01 0000"), .tagTruncated),
        WireCase("frame type 0", hex("07 01 000000 AA"), .videoFrameTypeUnknown(0)),
        WireCase("frame type 6", hex("67 01 000000 AA"), .videoFrameTypeUnknown(6)),
        WireCase("packet type 3", hex("17 03 000000 AA"), .videoPacketTypeUnknown(3)),
    ]) func `a broken video tag is named`(row: WireCase<RTMPError>) {
        #expect(throws: row.value) { try FLVVideoTag.decode(row.bytes) }
    }

    @Test(arguments: [
        WireCase("sequence header", hex("AF 00 1190"), FLVAudioTag.sequenceHeader(hex("1190"))),
        WireCase("access unit", hex("AF 01 211004"), .accessUnit(hex("211004"))),
        WireCase("no bytes", hex(""), .silence),
    ]) func `an audio tag reads and writes`(row: WireCase<FLVAudioTag>) throws {
        #expect(try FLVAudioTag.decode(row.bytes) == row.value)
        #expect(row.value.encode() == row.bytes)
    }

    @Test func `the sound bits of AAC mean nothing`() throws {
        #expect(try FLVAudioTag.decode(hex("A0 01 AA")) == .accessUnit(hex("AA")))
        #expect(try FLVAudioTag.decode(hex("AF 01")) == .silence)
    }

    @Test func `a broken audio tag is named`() {
        #expect(throws: RTMPError.tagTruncated) { try FLVAudioTag.decode(hex("AF")) }
        #expect(throws: RTMPError.audioPacketTypeUnknown(2)) { try FLVAudioTag.decode(hex("AF 02 AA")) }
    }

    @Test(arguments: [
        WireCase("Sorenson", hex("12 AA"), "H.263"), WireCase("VP6", hex("14"), "VP6"),
        WireCase("HEVC by number", hex("1C 00"), "HEVC with codec id 12"),
        WireCase("unknown number", hex("1F"), "unknown video codec"),
        WireCase("HEVC by FourCC", hex("90 68766331 AA"), "hvc1"),
        WireCase("AV1 by FourCC", hex("A1 61763031"), "av01"),
        WireCase("AVC by FourCC", hex("93 61766331"), "avc1"),
        WireCase("a FourCC of the peer's own", hex("90 3C3C3C3C"), "unknown Enhanced RTMP video"),
        WireCase("a FourCC cut off", hex("90 6876"), "unknown Enhanced RTMP video"),
        WireCase("multitrack", hex("96 00 68766331"), "unknown Enhanced RTMP video"),
    ]) func `a video codec we cannot take is named`(row: WireCase<String>) throws {
        guard case .unsupported(let codec) = try FLVVideoTag.decode(row.bytes) else {
            Issue.record("it was taken")
            return
        }
        #expect(codec.name == row.value)
        #expect(FLVVideoTag.unsupported(codec).encode() == nil)
    }

    @Test(arguments: [
        WireCase("MP3", hex("2F AA"), "MP3"), WireCase("Speex", hex("B2"), "Speex"),
        WireCase("reserved", hex("C0"), "unknown sound format"),
        WireCase("Opus", hex("90 4F707573"), "Opus"), WireCase("FLAC", hex("91 664C6143"), "fLaC"),
        WireCase("multitrack", hex("95 00 4F707573"), "unknown Enhanced RTMP audio"),
    ]) func `a sound format we cannot take is named`(row: WireCase<String>) throws {
        guard case .unsupported(let codec) = try FLVAudioTag.decode(row.bytes) else {
            Issue.record("it was taken")
            return
        }
        #expect(codec.name == row.value)
        #expect(FLVAudioTag.unsupported(codec).encode() == nil)
    }
}
