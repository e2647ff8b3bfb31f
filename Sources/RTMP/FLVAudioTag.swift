package import NIOCore

/// The payload of an audio message: AAC alone, anything else by its name (`FLV 10.1 §E.4.2.1`).
package enum FLVAudioTag: Hashable, Sendable {
    /// An AudioSpecificConfig; it may be repeated at any time, and is news only if its bytes differ.
    case sequenceHeader(ByteBuffer)
    /// One access unit, without ADTS.
    case accessUnit(ByteBuffer)
    /// A message without sound: legal, and nothing to decode.
    case silence
    case unsupported(FLVUnsupportedCodec)

    private static let aac: UInt8 = 10
    private static let enhanced: UInt8 = 9
    /// AAC, 44 kHz, 16 bits, stereo: what every AAC message says, whatever its configuration.
    private static let aacByte: UInt8 = 0xAF

    /// Throws `tagTruncated` or `audioPacketTypeUnknown`.
    package static func decode(_ payload: ByteBuffer) throws(RTMPError) -> FLVAudioTag {
        var buffer = payload
        guard let first = buffer.readInteger(as: UInt8.self) else { return .silence }
        switch first >> 4 {
        case aac: break
        case enhanced: return .unsupported(.enhancedAudio(packetType: first & 0xF, from: &buffer))
        case let format: return .unsupported(.audio(soundFormat: format))
        }
        guard let packetType = buffer.readInteger(as: UInt8.self) else { throw .tagTruncated }
        switch packetType {
        case 0: return .sequenceHeader(buffer)
        case 1: return buffer.readableBytes == 0 ? .silence : .accessUnit(buffer)
        default: throw .audioPacketTypeUnknown(packetType)
        }
    }

    /// Nil for what we cannot write: an unsupported codec.
    package func encode() -> ByteBuffer? {
        var buffer = ByteBuffer()
        switch self {
        case .sequenceHeader(let configuration):
            buffer.writeMultipleIntegers(Self.aacByte, UInt8(0))
            buffer.writeImmutableBuffer(configuration)
        case .accessUnit(let data):
            buffer.writeMultipleIntegers(Self.aacByte, UInt8(1))
            buffer.writeImmutableBuffer(data)
        case .silence: break
        case .unsupported: return nil
        }
        return buffer
    }
}
