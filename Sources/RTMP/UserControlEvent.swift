package import NIOCore

/// What a User Control message tells (`RTMP 1.0 §7.1.7`).
package enum UserControlEvent: Hashable, Sendable {
    case streamBegin(messageStreamID: UInt32)
    case streamEOF(messageStreamID: UInt32)
    case streamDry(messageStreamID: UInt32)
    case setBufferLength(messageStreamID: UInt32, milliseconds: UInt32)
    case streamIsRecorded(messageStreamID: UInt32)
    case pingRequest(timestamp: UInt32)
    case pingResponse(timestamp: UInt32)
    case other(eventType: UInt16, data: ByteBuffer)

    /// Nil if it is shorter than its fields.
    static func decode(from buffer: inout ByteBuffer) -> UserControlEvent? {
        guard let eventType = buffer.readInteger(as: UInt16.self) else { return nil }
        guard [0, 1, 2, 3, 4, 6, 7].contains(eventType) else { return .other(eventType: eventType, data: buffer) }
        guard let value = buffer.readInteger(as: UInt32.self) else { return nil }
        switch eventType {
        case 0: return .streamBegin(messageStreamID: value)
        case 1: return .streamEOF(messageStreamID: value)
        case 2: return .streamDry(messageStreamID: value)
        case 3:
            return buffer.readInteger(as: UInt32.self).map {
                .setBufferLength(messageStreamID: value, milliseconds: $0)
            }
        case 4: return .streamIsRecorded(messageStreamID: value)
        case 6: return .pingRequest(timestamp: value)
        default: return .pingResponse(timestamp: value)
        }
    }

    func encode(into buffer: inout ByteBuffer) {
        switch self {
        case .streamBegin(let id): buffer.writeMultipleIntegers(UInt16(0), id)
        case .streamEOF(let id): buffer.writeMultipleIntegers(UInt16(1), id)
        case .streamDry(let id): buffer.writeMultipleIntegers(UInt16(2), id)
        case .setBufferLength(let id, let milliseconds): buffer.writeMultipleIntegers(UInt16(3), id, milliseconds)
        case .streamIsRecorded(let id): buffer.writeMultipleIntegers(UInt16(4), id)
        case .pingRequest(let timestamp): buffer.writeMultipleIntegers(UInt16(6), timestamp)
        case .pingResponse(let timestamp): buffer.writeMultipleIntegers(UInt16(7), timestamp)
        case .other(let eventType, let data):
            buffer.writeInteger(eventType)
            buffer.writeImmutableBuffer(data)
        }
    }
}
