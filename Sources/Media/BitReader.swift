/// Reads bits from the most significant one on, never past the end.
///
/// Each read throws `MediaError.truncated` when the bits left do not suffice.
package struct BitReader {
    private let bytes: [UInt8]
    /// The next bit, counted from the start.
    private var position = 0

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The payload of a NAL unit, its emulation prevention bytes taken out (`H.264 §7.3.1`).
    package init(nalUnitPayload bytes: some Sequence<UInt8>) {
        var payload: [UInt8] = []
        var zeros = 0
        for byte in bytes {
            if zeros >= 2, byte == 3 {
                zeros = 0
                continue
            }
            zeros = byte == 0 ? zeros + 1 : 0
            payload.append(byte)
        }
        self.init(payload)
    }

    package var remainingBits: Int { bytes.count * 8 - position }

    package mutating func readFlag() throws(MediaError) -> Bool { try read(1) == 1 }

    /// An unsigned number of `count` bits, 0 to 32 of them.
    package mutating func read(_ count: Int) throws(MediaError) -> UInt32 {
        guard (0...32).contains(count), remainingBits >= count else { throw .truncated }
        var value: UInt32 = 0
        for _ in 0..<count {
            value = value << 1 | UInt32(bytes[position >> 3] >> UInt8(7 - position & 7) & 1)
            position += 1
        }
        return value
    }

    package mutating func skip(_ count: Int) throws(MediaError) {
        guard count >= 0, remainingBits >= count else { throw .truncated }
        position += count
    }

    /// `ue(v)`, an unsigned Exp-Golomb number, 0 to 2³² − 2 (`H.264 §9.1`).
    package mutating func readUnsigned() throws(MediaError) -> UInt32 {
        var zeros = 0
        while try !readFlag() {
            zeros += 1
            guard zeros < 32 else { throw .invalid(.expGolomb) }
        }
        return try (1 << UInt32(zeros) - 1) + read(zeros)
    }

    /// `se(v)`, a signed Exp-Golomb number (`H.264 §9.1.1`).
    package mutating func readSigned() throws(MediaError) -> Int64 {
        let code = Int64(try readUnsigned())
        return code & 1 == 1 ? (code + 1) / 2 : -(code / 2)
    }

    /// `ue(v)` of at most `limit`, above which `field` is invalid.
    package mutating func readUnsigned(atMost limit: UInt32, _ field: MediaError.Field) throws(MediaError) -> Int {
        let value = try readUnsigned()
        guard value <= limit else { throw .invalid(field) }
        return Int(value)
    }
}
