import NIOCore

extension ByteBuffer {
    /// Reads three bytes, most significant first; nil, and nothing read, if there are fewer.
    mutating func readUInt24() -> UInt32? {
        guard let high = getInteger(at: readerIndex, as: UInt16.self),
            let low = getInteger(at: readerIndex + 2, as: UInt8.self)
        else { return nil }
        moveReaderIndex(forwardBy: 3)
        return UInt32(high) << 8 | UInt32(low)
    }

    /// Writes the low 24 bits.
    mutating func writeUInt24(_ value: UInt32) {
        writeInteger(UInt16(truncatingIfNeeded: value >> 8))
        writeInteger(UInt8(truncatingIfNeeded: value))
    }

    /// Reads three bytes as a signed number, -8388608…8388607.
    mutating func readInt24() -> Int32? {
        readUInt24().map { Int32(bitPattern: $0 << 8) >> 8 }
    }

    mutating func writeInt24(_ value: Int32) {
        writeUInt24(UInt32(bitPattern: value))
    }
}
