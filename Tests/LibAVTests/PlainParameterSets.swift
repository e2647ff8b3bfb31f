import LibAV
import Media
import NIOCore
import Testing

extension Pictures {
    /// The same configuration with a sequence parameter set that ends before its VUI, as small hardware encoders write it:
    /// how far pictures are reordered is then not told. For profiles below High.
    static func withoutUsabilityInformation(_ format: TrackFormat) throws -> TrackFormat {
        guard case .h264(let configuration) = format else { return format }
        let set = Array(try #require(configuration.sequenceParameterSets.first).readableBytesView)
        var reader = BitReader(nalUnitPayload: set)
        let start = reader.remainingBits
        try reader.skip(32)  // NAL unit header, profile, constraints, level
        for _ in 0..<2 { _ = try reader.readUnsigned() }
        if try reader.readUnsigned() == 0 { _ = try reader.readUnsigned() }  // pic_order_cnt_type
        _ = try reader.readUnsigned()
        try reader.skip(1)
        for _ in 0..<2 { _ = try reader.readUnsigned() }
        try reader.skip(2)
        if try reader.readFlag() { for _ in 0..<4 { _ = try reader.readUnsigned() } }
        let count = start - reader.remainingBits

        var source = BitReader(nalUnitPayload: set)
        var bits: [Bool] = []
        for _ in 0..<count { bits.append(try source.readFlag()) }
        bits += [false, true]  // vui_parameters_present_flag, rbsp_stop_one_bit
        while bits.count % 8 != 0 { bits.append(false) }
        let bytes = stride(from: 0, to: bits.count, by: 8).map { start in
            bits[start..<start + 8].reduce(UInt8(0)) { $0 << 1 | ($1 ? 1 : 0) }
        }
        return .h264(
            try AVCDecoderConfiguration(
                sequenceParameterSets: [ByteBuffer(bytes: bytes)],
                pictureParameterSets: configuration.pictureParameterSets))
    }
}
