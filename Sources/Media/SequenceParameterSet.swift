/// What the platform needs of an H.264 sequence parameter set (`H.264 §7.3.2.1.1`).
package struct SequenceParameterSet: Hashable, Sendable {
    /// The picture's size in pixels after cropping, 1 to 16,880 each; the sample aspect ratio is not applied.
    package var width: Int
    package var height: Int
    /// `chroma_format_idc`: 0 is luma alone, 1 is 4:2:0, 2 is 4:2:2, 3 is 4:4:4.
    package var chromaFormat: Int
    /// Bits of a sample, 8 to 14 each.
    package var lumaBitDepth: Int
    package var chromaBitDepth: Int
    /// From the VUI's timing; nil where it has none or one that makes no sense.
    package var framesPerSecond: Double?

    /// Reads a NAL unit of type 7, its header byte included.
    package init(nalUnit: some Sequence<UInt8>) throws(MediaError) {
        var reader = BitReader(nalUnitPayload: nalUnit)
        guard try reader.read(8) & 0x9F == 7 else { throw .invalid(.nalUnitType) }
        let profile = try reader.read(8)
        try reader.skip(16)  // constraint flags, level
        _ = try reader.readUnsigned(atMost: 31, .seqParameterSetID)
        var chroma = ChromaFormat.yuv420
        if Self.profilesWithChromaFormat.contains(profile) {
            chroma = try ChromaFormat(from: &reader)
        }
        chromaFormat = chroma.identifier
        lumaBitDepth = chroma.lumaBitDepth
        chromaBitDepth = chroma.chromaBitDepth
        _ = try reader.readUnsigned(atMost: 12, .log2MaxFrameNum)
        try Self.skipPictureOrderCount(&reader)
        _ = try reader.readUnsigned(atMost: 255, .refFrames)  // 16 by the specification; it bounds nothing here
        try reader.skip(1)  // gaps_in_frame_num_value_allowed_flag
        // Level 6.2 allows √(8 × 139,264) macroblocks a side (H.264 §A.3.1).
        let widthInMacroblocks = try reader.readUnsigned(atMost: 1_054, .pictureSize) + 1
        let heightInMapUnits = try reader.readUnsigned(atMost: 1_054, .pictureSize) + 1
        let isFrameOnly = try reader.readFlag()
        if !isFrameOnly { try reader.skip(1) }  // mb_adaptive_frame_field_flag
        try reader.skip(1)  // direct_8x8_inference_flag
        let heightInMacroblocks = isFrameOnly ? heightInMapUnits : heightInMapUnits * 2
        guard heightInMacroblocks <= 1_055 else { throw .invalid(.pictureSize) }
        width = widthInMacroblocks * 16
        height = heightInMacroblocks * 16
        if try reader.readFlag() {
            let unitX = chroma.horizontalStep
            let unitY = chroma.verticalStep * (isFrameOnly ? 1 : 2)
            var offsets = [0, 0, 0, 0]  // left, right, top, bottom
            for index in offsets.indices { offsets[index] = try reader.readUnsigned(atMost: 16_880, .frameCropping) }
            width -= (offsets[0] + offsets[1]) * unitX
            height -= (offsets[2] + offsets[3]) * unitY
            guard width > 0, height > 0 else { throw .invalid(.frameCropping) }
        }
        // A broken VUI costs the frame rate alone: the picture can be decoded without it.
        framesPerSecond = try? Self.readFrameRate(&reader)
    }

    /// Those whose sets carry `chroma_format_idc` and scaling lists.
    private static let profilesWithChromaFormat: Set<UInt32> = [
        44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244,
    ]

    private static func skipPictureOrderCount(_ reader: inout BitReader) throws(MediaError) {
        switch try reader.readUnsigned(atMost: 2, .picOrderCount) {
        case 0:
            _ = try reader.readUnsigned(atMost: 12, .picOrderCount)
        case 1:
            try reader.skip(1)  // delta_pic_order_always_zero_flag
            _ = try reader.readSigned()
            _ = try reader.readSigned()
            for _ in 0..<(try reader.readUnsigned(atMost: 255, .picOrderCount)) { _ = try reader.readSigned() }
        default:
            break
        }
    }

    /// `vui_parameters()` as far as the timing (`H.264 §E.1.1`); a frame lasts two ticks (`§E.2.1`).
    private static func readFrameRate(_ reader: inout BitReader) throws(MediaError) -> Double? {
        guard try reader.readFlag() else { return nil }
        if try reader.readFlag() {  // aspect_ratio_info_present_flag
            let isExtended = try reader.read(8) == 255
            if isExtended { try reader.skip(32) }
        }
        if try reader.readFlag() { try reader.skip(1) }  // overscan
        if try reader.readFlag() {  // video_signal_type_present_flag
            try reader.skip(4)
            if try reader.readFlag() { try reader.skip(24) }
        }
        if try reader.readFlag() {  // chroma_loc_info_present_flag
            _ = try reader.readUnsigned()
            _ = try reader.readUnsigned()
        }
        guard try reader.readFlag() else { return nil }
        let unitsInTick = try reader.read(32)
        let timescale = try reader.read(32)
        guard unitsInTick > 0, timescale > 0 else { return nil }
        let rate = Double(timescale) / (2 * Double(unitsInTick))
        return (0.1...1_000).contains(rate) ? rate : nil
    }
}

/// How samples are laid out; chroma says what one step of cropping is (`H.264 §6.2, §7.4.2.1.1`).
private struct ChromaFormat {
    var identifier = 1
    var lumaBitDepth = 8
    var chromaBitDepth = 8

    static let yuv420 = ChromaFormat()

    var horizontalStep: Int { identifier == 1 || identifier == 2 ? 2 : 1 }
    var verticalStep: Int { identifier == 1 ? 2 : 1 }

    private init() {}

    /// Reads `chroma_format_idc` to the end of the scaling lists.
    init(from reader: inout BitReader) throws(MediaError) {
        identifier = try reader.readUnsigned(atMost: 3, .chromaFormat)
        if identifier == 3 { try reader.skip(1) }  // separate_colour_plane_flag: a step is one pixel either way
        lumaBitDepth = 8 + (try reader.readUnsigned(atMost: 6, .bitDepth))
        chromaBitDepth = 8 + (try reader.readUnsigned(atMost: 6, .bitDepth))
        try reader.skip(1)  // qpprime_y_zero_transform_bypass_flag
        if try reader.readFlag() {
            for list in 0..<(identifier == 3 ? 12 : 8) where try reader.readFlag() {
                try Self.skipScalingList(size: list < 6 ? 16 : 64, &reader)
            }
        }
    }

    /// `scaling_list()` (`H.264 §7.3.2.1.1.1`).
    private static func skipScalingList(size: Int, _ reader: inout BitReader) throws(MediaError) {
        var last: Int64 = 8
        for _ in 0..<size {
            let delta = try reader.readSigned()
            guard (-128...127).contains(delta) else { throw .invalid(.deltaScale) }
            let next = (last + delta + 256) & 0xFF
            if next == 0 { return }  // the list goes on with the last value, unsaid
            last = next
        }
    }
}
