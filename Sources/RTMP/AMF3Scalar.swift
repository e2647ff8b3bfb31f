import NIOCore

/// The AMF3 values a command may switch to with marker 0x11 (`AMF0 §3.1`): scalars, as the AMF0 values they equal.
///
/// Objects, arrays and string references are refused by name; we answer `connect` with object encoding 0, so that no
/// conforming client has a reason to send them.
enum AMF3Scalar {
    static func decode(from buffer: inout ByteBuffer, limits: RTMPLimits) throws(RTMPError) -> AMF0Value {
        guard let marker = buffer.readInteger(as: UInt8.self) else { throw .amfTruncated }
        switch marker {
        case 0: return .undefined
        case 1: return .null
        case 2: return .boolean(false)
        case 3: return .boolean(true)
        case 4:
            let value = try unsigned29(from: &buffer)
            return .number(Double(Int32(bitPattern: value << 3) >> 3))
        case 5:
            guard let bits = buffer.readInteger(as: UInt64.self) else { throw .amfTruncated }
            return .number(Double(bitPattern: bits))
        case 6:
            let header = try unsigned29(from: &buffer)
            guard header & 1 == 1 else { throw .amf3Unsupported(marker: marker) }
            let length = Int(header >> 1)
            if length > limits.amfStringBytes { throw .amfStringTooLong }
            guard let string = buffer.readString(length: length) else { throw .amfTruncated }
            return .string(string)
        default: throw .amf3Unsupported(marker: marker)
        }
    }

    /// A U29: seven bits a byte, all eight of the fourth (`AMF3 §1.3.1`).
    private static func unsigned29(from buffer: inout ByteBuffer) throws(RTMPError) -> UInt32 {
        var value: UInt32 = 0
        for place in 1...4 {
            guard let byte = buffer.readInteger(as: UInt8.self) else { throw .amfTruncated }
            if place == 4 { return value << 8 | UInt32(byte) }
            value = value << 7 | UInt32(byte & 0x7F)
            if byte < 0x80 { break }
        }
        return value
    }
}
