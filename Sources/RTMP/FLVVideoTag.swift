package import NIOCore

/// The payload of a video message: H.264 alone, anything else by its name (`FLV 10.1 §E.4.3.1`).
package enum FLVVideoTag: Hashable, Sendable {
    /// An AVCDecoderConfigurationRecord; it may be repeated at any time, and is news only if its bytes differ.
    case sequenceHeader(ByteBuffer)
    /// Length-prefixed NAL units; the presentation time is the message's timestamp plus the composition time, in
    /// milliseconds, -8388608…8388607.
    case nalUnits(frameType: FLVFrameType, compositionTime: Int32, ByteBuffer)
    case endOfSequence
    /// A frame that only tells the player something, such as the start of a seek.
    case command
    /// A message without a picture.
    case empty
    case unsupported(FLVUnsupportedCodec)

    private static let avc: UInt8 = 7

    /// Throws `tagTruncated`, `videoFrameTypeUnknown` or `videoPacketTypeUnknown`.
    package static func decode(_ payload: ByteBuffer) throws(RTMPError) -> FLVVideoTag {
        var buffer = payload
        guard let first = buffer.readInteger(as: UInt8.self) else { return .empty }
        // The top bit says Enhanced RTMP, where three bits are left for the frame type.
        let isEnhanced = first & 0x80 != 0
        let frameBits = first >> 4 & 0x7
        if frameBits == FLVFrameType.commandBits { return .command }
        if isEnhanced { return .unsupported(.enhancedVideo(packetType: first & 0xF, from: &buffer)) }
        guard first & 0xF == avc else { return .unsupported(.video(codecID: first & 0xF)) }
        guard let frameType = FLVFrameType(rawValue: frameBits) else { throw .videoFrameTypeUnknown(frameBits) }
        guard let packetType = buffer.readInteger(as: UInt8.self) else { throw .tagTruncated }
        if packetType == 2 { return .endOfSequence }
        guard packetType < 2 else { throw .videoPacketTypeUnknown(packetType) }
        guard let compositionTime = buffer.readInt24() else { throw .tagTruncated }
        if packetType == 0 { return .sequenceHeader(buffer) }
        if buffer.readableBytes == 0 { return .empty }
        return .nalUnits(frameType: frameType, compositionTime: compositionTime, buffer)
    }

    /// Nil for what we cannot write: an unsupported codec.
    package func encode() -> ByteBuffer? {
        var buffer = ByteBuffer()
        switch self {
        case .sequenceHeader(let configuration):
            buffer.writeMultipleIntegers(UInt8(0x17), UInt32(0))
            buffer.writeImmutableBuffer(configuration)
        case .nalUnits(let frameType, let compositionTime, let data):
            buffer.writeMultipleIntegers(frameType.rawValue << 4 | Self.avc, UInt8(1))
            buffer.writeInt24(compositionTime)
            buffer.writeImmutableBuffer(data)
        case .endOfSequence: buffer.writeMultipleIntegers(UInt8(0x17), UInt32(0x0200_0000))
        case .command: buffer.writeMultipleIntegers(UInt8(0x57), UInt8(0))
        case .empty: break
        case .unsupported: return nil
        }
        return buffer
    }
}

/// The FrameType of a video tag (`FLV 10.1 §E.4.3.1`).
package enum FLVFrameType: UInt8, Sendable, CaseIterable {
    case key = 1
    case inter = 2
    case disposableInter = 3
    case generatedKey = 4

    static let commandBits: UInt8 = 5

    package var isKey: Bool { self == .key || self == .generatedKey }
}
