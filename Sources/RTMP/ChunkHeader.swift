package import NIOCore

/// The first one to three bytes of a chunk (`RTMP 1.0 §5.3.1.1`).
package struct ChunkBasicHeader: Hashable, Sendable {
    package var format: ChunkFormat
    /// 2…65599; the shortest form is written that holds it.
    package var chunkStreamID: UInt32

    package init(format: ChunkFormat, chunkStreamID: UInt32) {
        self.format = format
        self.chunkStreamID = chunkStreamID
    }

    /// Nil if it is not all there; what was read then is the caller's to put back.
    package static func decode(from buffer: inout ByteBuffer) -> ChunkBasicHeader? {
        guard let first = buffer.readInteger(as: UInt8.self), let format = ChunkFormat(rawValue: first >> 6)
        else { return nil }
        switch first & 0x3F {
        case 0:
            guard let byte = buffer.readInteger(as: UInt8.self) else { return nil }
            return ChunkBasicHeader(format: format, chunkStreamID: UInt32(byte) + 64)
        case 1:
            guard let bytes = buffer.readInteger(endianness: .little, as: UInt16.self) else { return nil }
            return ChunkBasicHeader(format: format, chunkStreamID: UInt32(bytes) + 64)
        case let id:
            return ChunkBasicHeader(format: format, chunkStreamID: UInt32(id))
        }
    }

    package func encode(into buffer: inout ByteBuffer) {
        let format = format.rawValue << 6
        switch chunkStreamID {
        case ..<64:
            buffer.writeInteger(format | UInt8(truncatingIfNeeded: chunkStreamID))
        case ..<320:
            buffer.writeInteger(format)
            buffer.writeInteger(UInt8(truncatingIfNeeded: chunkStreamID &- 64))
        default:
            buffer.writeInteger(format | 1)
            buffer.writeInteger(UInt16(truncatingIfNeeded: chunkStreamID &- 64), endianness: .little)
        }
    }
}

/// Which message header follows the basic header; the raw value is the specification's type.
package enum ChunkFormat: UInt8, Sendable {
    case full = 0
    case sameStream = 1
    case sameLength = 2
    case sameEverything = 3
}

/// The message header of a chunk, with its extended timestamp (`RTMP 1.0 §5.3.1.2, §5.3.1.3`).
package enum ChunkMessageHeader: Hashable, Sendable {
    case full(timestamp: ChunkTimestamp, length: Int, typeID: UInt8, messageStreamID: UInt32)
    case sameStream(delta: ChunkTimestamp, length: Int, typeID: UInt8)
    case sameLength(delta: ChunkTimestamp)
    /// Whether four bytes of extended timestamp follow only the chunk stream knows.
    case sameEverything

    /// Nil if it is not all there; what was read then is the caller's to put back.
    package static func decode(_ format: ChunkFormat, from buffer: inout ByteBuffer) -> ChunkMessageHeader? {
        if format == .sameEverything { return .sameEverything }
        guard let field = buffer.readUInt24() else { return nil }
        if format == .sameLength {
            return ChunkTimestamp.decode(field, from: &buffer).map { .sameLength(delta: $0) }
        }
        guard let length = buffer.readUInt24(), let typeID = buffer.readInteger(as: UInt8.self) else { return nil }
        if format == .sameStream {
            guard let delta = ChunkTimestamp.decode(field, from: &buffer) else { return nil }
            return .sameStream(delta: delta, length: Int(length), typeID: typeID)
        }
        guard let stream = buffer.readInteger(endianness: .little, as: UInt32.self),
            let timestamp = ChunkTimestamp.decode(field, from: &buffer)
        else { return nil }
        return .full(timestamp: timestamp, length: Int(length), typeID: typeID, messageStreamID: stream)
    }

    package func encode(into buffer: inout ByteBuffer) {
        switch self {
        case .full(let timestamp, let length, let typeID, let messageStreamID):
            buffer.writeUInt24(timestamp.field)
            buffer.writeUInt24(UInt32(truncatingIfNeeded: length))
            buffer.writeInteger(typeID)
            buffer.writeInteger(messageStreamID, endianness: .little)
            timestamp.encodeExtension(into: &buffer)
        case .sameStream(let delta, let length, let typeID):
            buffer.writeUInt24(delta.field)
            buffer.writeUInt24(UInt32(truncatingIfNeeded: length))
            buffer.writeInteger(typeID)
            delta.encodeExtension(into: &buffer)
        case .sameLength(let delta):
            buffer.writeUInt24(delta.field)
            delta.encodeExtension(into: &buffer)
        case .sameEverything:
            break
        }
    }
}

/// A chunk's timestamp, or the difference to that of the message before, in milliseconds.
package struct ChunkTimestamp: Hashable, Sendable {
    package let value: UInt32
    /// Whether the value stands in four bytes behind the header, the field being 0xFFFFFF.
    package let isExtended: Bool

    private static let extensionMark: UInt32 = 0xFF_FFFF

    package init(_ value: UInt32) {
        self.init(value: value, isExtended: value >= Self.extensionMark)
    }

    private init(value: UInt32, isExtended: Bool) {
        self.value = value
        self.isExtended = isExtended
    }

    fileprivate static func decode(_ field: UInt32, from buffer: inout ByteBuffer) -> ChunkTimestamp? {
        if field < extensionMark { return ChunkTimestamp(value: field, isExtended: false) }
        return buffer.readInteger(as: UInt32.self).map { ChunkTimestamp(value: $0, isExtended: true) }
    }

    fileprivate var field: UInt32 { isExtended ? Self.extensionMark : value }

    /// The extended timestamp, written only if there is one.
    package func encodeExtension(into buffer: inout ByteBuffer) {
        if isExtended { buffer.writeInteger(value) }
    }
}
