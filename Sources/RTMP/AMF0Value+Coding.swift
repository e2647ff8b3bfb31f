package import NIOCore

/// The byte a value starts with (`AMF0 §2.1`).
private enum AMF0Marker: UInt8 {
    case number = 0
    case boolean = 1
    case string = 2
    case object = 3
    case null = 5
    case undefined = 6
    case reference = 7
    case ecmaArray = 8
    case objectEnd = 9
    case strictArray = 10
    case date = 11
    case longString = 12
    case unsupported = 13
    case xmlDocument = 15
    case typedObject = 16
    case avmPlusObject = 17
}

/// Reads the AMF0 values of one message, which share the limits on keys and elements.
///
/// Bytes that are not UTF-8 become U+FFFD. An AMF3 value behind the switch marker is read if it is a scalar.
package struct AMF0Decoder {
    private let limits: RTMPLimits
    private var keysLeft: Int
    private var elementsLeft: Int

    package init(limits: RTMPLimits = RTMPLimits()) {
        self.limits = limits
        self.keysLeft = limits.amfKeys
        self.elementsLeft = limits.amfElements
    }

    package mutating func decode(from buffer: inout ByteBuffer) throws(RTMPError) -> AMF0Value {
        try countElements(1)
        return try value(from: &buffer, depth: 0)
    }

    /// All values up to the end of the buffer.
    package mutating func decodeAll(from buffer: inout ByteBuffer) throws(RTMPError) -> [AMF0Value] {
        var values: [AMF0Value] = []
        while buffer.readableBytes > 0 {
            values.append(try decode(from: &buffer))
        }
        return values
    }

    private mutating func value(from buffer: inout ByteBuffer, depth: Int) throws(RTMPError) -> AMF0Value {
        let byte: UInt8 = try integer(from: &buffer)
        guard let marker = AMF0Marker(rawValue: byte), marker != .objectEnd else { throw .amfMarkerUnknown(byte) }
        switch marker {
        case .number: return .number(try double(from: &buffer))
        case .boolean: return .boolean(try integer(from: &buffer, as: UInt8.self) != 0)
        case .string: return .string(try shortString(from: &buffer))
        case .longString: return .string(try longString(from: &buffer))
        case .xmlDocument: return .xmlDocument(try longString(from: &buffer))
        case .null: return .null
        case .undefined: return .undefined
        case .unsupported: return .unsupported
        case .reference: return .reference(try integer(from: &buffer))
        case .date:
            return .date(milliseconds: try double(from: &buffer), timeZone: try integer(from: &buffer))
        case .object: return .object(try object(from: &buffer, depth: depth))
        case .typedObject:
            let className = try shortString(from: &buffer)
            return .typedObject(className: className, try object(from: &buffer, depth: depth))
        case .ecmaArray:
            // The count is often 0 or wrong: the end marker alone counts.
            _ = try integer(from: &buffer, as: UInt32.self)
            return .ecmaArray(try object(from: &buffer, depth: depth))
        case .strictArray: return .strictArray(try array(from: &buffer, depth: depth))
        case .avmPlusObject: return try AMF3Scalar.decode(from: &buffer, limits: limits)
        case .objectEnd: throw .amfMarkerUnknown(byte)
        }
    }

    private mutating func object(from buffer: inout ByteBuffer, depth: Int) throws(RTMPError) -> AMF0Object {
        if depth >= limits.amfDepth { throw .amfTooDeep }
        var object = AMF0Object()
        while true {
            let key = try shortString(from: &buffer)
            if key.isEmpty, buffer.getInteger(at: buffer.readerIndex) == AMF0Marker.objectEnd.rawValue {
                buffer.moveReaderIndex(forwardBy: 1)
                return object
            }
            if keysLeft == 0 { throw .amfTooManyKeys }
            keysLeft -= 1
            object.properties.append(.init(key: key, value: try value(from: &buffer, depth: depth + 1)))
        }
    }

    private mutating func array(from buffer: inout ByteBuffer, depth: Int) throws(RTMPError) -> [AMF0Value] {
        if depth >= limits.amfDepth { throw .amfTooDeep }
        let count = try integer(from: &buffer, as: UInt32.self)
        try countElements(Int(count))
        var values: [AMF0Value] = []
        for _ in 0..<count {
            values.append(try value(from: &buffer, depth: depth + 1))
        }
        return values
    }

    private mutating func countElements(_ count: Int) throws(RTMPError) {
        if count > elementsLeft { throw .amfTooManyElements }
        elementsLeft -= count
    }

    private func shortString(from buffer: inout ByteBuffer) throws(RTMPError) -> String {
        try string(from: &buffer, length: Int(try integer(from: &buffer, as: UInt16.self)))
    }

    private func longString(from buffer: inout ByteBuffer) throws(RTMPError) -> String {
        try string(from: &buffer, length: Int(try integer(from: &buffer, as: UInt32.self)))
    }

    private func string(from buffer: inout ByteBuffer, length: Int) throws(RTMPError) -> String {
        if length > limits.amfStringBytes { throw .amfStringTooLong }
        guard let string = buffer.readString(length: length) else { throw .amfTruncated }
        return string
    }

    private func double(from buffer: inout ByteBuffer) throws(RTMPError) -> Double {
        Double(bitPattern: try integer(from: &buffer))
    }

    private func integer<T: FixedWidthInteger>(
        from buffer: inout ByteBuffer, as: T.Type = T.self
    ) throws(RTMPError) -> T {
        guard let value = buffer.readInteger(as: T.self) else { throw .amfTruncated }
        return value
    }
}

extension AMF0Value {
    package func encode(into buffer: inout ByteBuffer) {
        switch self {
        case .number(let value):
            buffer.writeMarker(.number)
            buffer.writeInteger(value.bitPattern)
        case .boolean(let value):
            buffer.writeMarker(.boolean)
            buffer.writeInteger(value ? 1 : 0, as: UInt8.self)
        case .string(let value) where value.utf8.count <= Int(UInt16.max):
            buffer.writeMarker(.string)
            buffer.writeShortString(value)
        case .string(let value):
            buffer.writeMarker(.longString)
            buffer.writeLongString(value)
        case .xmlDocument(let value):
            buffer.writeMarker(.xmlDocument)
            buffer.writeLongString(value)
        case .null: buffer.writeMarker(.null)
        case .undefined: buffer.writeMarker(.undefined)
        case .unsupported: buffer.writeMarker(.unsupported)
        case .reference(let index):
            buffer.writeMarker(.reference)
            buffer.writeInteger(index)
        case .date(let milliseconds, let timeZone):
            buffer.writeMarker(.date)
            buffer.writeInteger(milliseconds.bitPattern)
            buffer.writeInteger(timeZone)
        case .object(let object):
            buffer.writeMarker(.object)
            object.encode(into: &buffer)
        case .typedObject(let className, let object):
            buffer.writeMarker(.typedObject)
            buffer.writeShortString(className)
            object.encode(into: &buffer)
        case .ecmaArray(let object):
            buffer.writeMarker(.ecmaArray)
            buffer.writeInteger(UInt32(clamping: object.properties.count))
            object.encode(into: &buffer)
        case .strictArray(let values):
            buffer.writeMarker(.strictArray)
            buffer.writeInteger(UInt32(clamping: values.count))
            for value in values { value.encode(into: &buffer) }
        }
    }
}

extension AMF0Object {
    fileprivate func encode(into buffer: inout ByteBuffer) {
        for property in properties {
            buffer.writeShortString(property.key)
            property.value.encode(into: &buffer)
        }
        buffer.writeInteger(UInt16(0))
        buffer.writeMarker(.objectEnd)
    }
}

extension ByteBuffer {
    fileprivate mutating func writeMarker(_ marker: AMF0Marker) {
        writeInteger(marker.rawValue)
    }

    /// Writes a key, or a string known to be short; what goes beyond 65535 bytes is cut off.
    fileprivate mutating func writeShortString(_ string: String) {
        let bytes = string.utf8.prefix(Int(UInt16.max))
        writeInteger(UInt16(clamping: bytes.count))
        writeBytes(bytes)
    }

    fileprivate mutating func writeLongString(_ string: String) {
        writeInteger(UInt32(clamping: string.utf8.count))
        writeString(string)
    }
}
