package import NIOCore

/// H.264's byte stream: NAL units behind start codes, as MPEG-TS and encoders have them (`H.264 §B.1`).
package enum AnnexB {
    /// The type of an access unit delimiter (`H.264 §7.4.1`).
    private static let accessUnitDelimiter: UInt8 = 9

    /// The NAL units of a byte stream, without start codes and trailing zeros; emulation prevention bytes stay.
    ///
    /// They are slices of the same storage. What stands before the first start code is left out, and so are units of no bytes.
    package static func nalUnits(_ bytes: ByteBuffer) -> [ByteBuffer] {
        var units: [ByteBuffer] = []
        forEachUnit(bytes) { range in
            if let unit = bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count) {
                units.append(unit)
            }
        }
        return units
    }

    /// The same NAL units behind lengths of 4 bytes (`ISO 14496-15 §5.3.4.2`), without access unit delimiters, which
    /// that form is not to have (`§5.3.4.1`).
    package static func lengthPrefixed(_ bytes: ByteBuffer) -> ByteBuffer {
        var result = ByteBufferAllocator().buffer(capacity: bytes.readableBytes + 16)
        forEachUnit(bytes) { range in
            if let unit = bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count) {
                write(unit, into: &result)
            }
        }
        return result
    }

    /// The same of NAL units that were told apart already.
    package static func lengthPrefixed(_ units: [ByteBuffer]) -> ByteBuffer {
        var result = ByteBufferAllocator().buffer(capacity: units.reduce(0) { $0 + $1.readableBytes + 4 })
        for unit in units { write(unit, into: &result) }
        return result
    }

    private static func write(_ unit: ByteBuffer, into result: inout ByteBuffer) {
        guard let length = UInt32(exactly: unit.readableBytes), type(of: unit) != accessUnitDelimiter else { return }
        result.writeInteger(length)
        result.writeImmutableBuffer(unit)
    }

    /// `nal_unit_type`, 0 to 31; nil for a unit of no bytes (`H.264 §7.3.1`).
    package static func type(of unit: ByteBuffer) -> UInt8? {
        unit.getInteger(at: unit.readerIndex, as: UInt8.self).map { $0 & 0x1F }
    }

    /// Runs `body` for each NAL unit with where it stands, counted from the first readable byte.
    private static func forEachUnit(_ bytes: ByteBuffer, _ body: (Range<Int>) -> Void) {
        let span = bytes.readableBytesUInt8Span
        var start: Int?
        func close(at limit: Int, _ span: Span<UInt8>) {
            guard let start else { return }
            var end = limit
            while end > start, span[end - 1] == 0 { end -= 1 }
            if end > start { body(start..<end) }
        }
        var index = 0
        while index + 2 < span.count {
            // The last byte of three says how many of them cannot begin a start code.
            switch span[index + 2] {
            case 0:
                index += 1
            case 1 where span[index] == 0 && span[index + 1] == 0:
                close(at: index, span)
                index += 3
                start = index
            default:
                index += 3
            }
        }
        close(at: span.count, span)
    }
}
