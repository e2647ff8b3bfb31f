import Crypto
package import NIOCore
package import OriginStore

/// An object as its file has it: a prefix with the checksum, a header, the body.
///
/// | bytes | |
/// |---|---|
/// | 8 | `HWOBJECT` |
/// | 2 | version, 1 |
/// | 4 | bytes of the header |
/// | 32 | SHA-256 of all other bytes of the file |
/// | … | header: path, content type, Cache-Control, entity tag, Last-Modified, epoch, bytes of the body |
/// | … | body, to the end of the file |
///
/// Integers are big-endian; a text is 2 bytes of length and UTF-8; what may be missing has a byte 1 before it, or is a
/// byte 0.
package enum ObjectRecord {
    static let prefixBytes = 8 + 2 + 4 + SHA256.byteCount
    /// The largest header, in bytes: far more than a request's fields may have.
    static let headerLimitBytes = 256 << 10
    private static let magic = Array("HWOBJECT".utf8)
    private static let version: UInt16 = 1
    /// The last second of the year 9999, the largest an HTTP date can say.
    private static let lastModifiedLimit = 253_402_300_799

    /// What stands in the file before the object's body.
    /// - Throws: ``ObjectRecordError`` for an object that would not be read again as it is, or whose body cannot be read.
    package static func encode(_ object: StoredObject) throws(ObjectRecordError) -> ByteBuffer {
        var header = ByteBuffer()
        header.reserveCapacity(512)
        try header.write(text: object.key.path)
        try header.write(text: object.head.contentType)
        try header.write(optional: object.head.cacheControl) { (buffer, text) throws(ObjectRecordError) in
            try buffer.write(text: text)
        }
        try header.write(text: object.head.entityTag)
        try header.write(optional: object.head.lastModified) { (buffer, seconds) throws(ObjectRecordError) in
            buffer.writeInteger(Int64(seconds))
        }
        try header.write(optional: object.epoch) { (buffer, epoch) throws(ObjectRecordError) in
            buffer.writeInteger(epoch)
        }
        header.writeInteger(UInt64(object.body.count))
        guard header.readableBytes <= headerLimitBytes else { throw .header }
        // What the reader would refuse is not written.
        guard try read(header: header).key.path.utf8.elementsEqual(object.key.path.utf8) else { throw .header }

        var file = ByteBuffer()
        file.reserveCapacity(prefixBytes + header.readableBytes)
        file.writeBytes(magic)
        file.writeInteger(version)
        file.writeInteger(UInt32(header.readableBytes))
        file.writeBytes(try checksum([file, header], object.body))
        file.writeBuffer(&header)
        return file
    }

    /// Bytes of the header after a file's prefix.
    package static func headerBytes(prefix: ByteBuffer) throws(ObjectRecordError) -> Int {
        var prefix = prefix
        guard prefix.readBytes(length: magic.count) == magic, let version = prefix.readInteger(as: UInt16.self) else {
            throw .prefix
        }
        guard version == Self.version else { throw .version }
        guard let bytes = prefix.readInteger(as: UInt32.self), bytes <= headerLimitBytes else { throw .header }
        return Int(bytes)
    }

    /// Reads a header, which nothing but a whole file's checksum proves to be what was written.
    package static func read(header: ByteBuffer) throws(ObjectRecordError) -> StoredObject.Header {
        var header = header
        let key = try ObjectKey(path: header.readText())
        let contentType = try header.readText()
        let cacheControl = try header.readOptional { (buffer) throws(ObjectRecordError) in try buffer.readText() }
        let entityTag = try header.readText()
        let lastModified = try header.readOptional { (buffer) throws(ObjectRecordError) in
            try buffer.readNumber(Int64.self)
        }
        let epoch = try header.readOptional { (buffer) throws(ObjectRecordError) in
            try buffer.readNumber(UInt64.self)
        }
        let bodyBytes = try header.readNumber(UInt64.self)
        guard header.readableBytes == 0, isFieldValue(contentType), cacheControl.map(isFieldValue) ?? true,
            isEntityTag(entityTag), (0...Int64(lastModifiedLimit)).contains(lastModified ?? 0),
            bodyBytes <= UInt64(UInt32.max)
        else { throw .header }
        let head = ObjectHead(
            contentType: contentType, cacheControl: cacheControl, entityTag: entityTag,
            lastModified: lastModified.map { Int($0) })
        return StoredObject.Header(key: key, head: head, epoch: epoch, bodyBytes: Int(bodyBytes))
    }

    /// Reads a file's prefix and header with its body behind them, and proves that nothing is missing or changed.
    package static func decode(_ start: ByteBuffer, body: ObjectBody) throws(ObjectRecordError) -> StoredObject {
        var prefix = start
        let headerBytes = try headerBytes(prefix: start)
        guard var covered = prefix.readSlice(length: prefixBytes - SHA256.byteCount),
            let checksum = prefix.readBytes(length: SHA256.byteCount), prefix.readableBytes == headerBytes
        else { throw .truncated }
        covered = covered.slice()
        let header = try read(header: prefix)
        guard header.bodyBytes == body.count else { throw .truncated }
        guard try Self.checksum([covered, prefix], body) == checksum else { throw .checksum }
        return StoredObject(key: header.key, head: header.head, body: body, epoch: header.epoch)
    }

    private static func checksum(_ parts: [ByteBuffer], _ body: ObjectBody) throws(ObjectRecordError) -> [UInt8] {
        var hash = SHA256()
        func update(_ part: ByteBuffer) {
            unsafe part.withUnsafeReadableBytes { unsafe hash.update(bufferPointer: $0) }
        }
        for part in parts { update(part) }
        var missingBytes = body.count
        for piece in body.pieces {
            update(piece)
            missingBytes -= piece.readableBytes
        }
        guard missingBytes == 0 else { throw .truncated }
        return Array(hash.finalize())
    }

    /// Nothing that could end a header's line (`RFC 9110 §5.5`).
    private static func isFieldValue(_ text: String) -> Bool {
        text.utf8.allSatisfy { ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }
    }

    /// A strong tag (`RFC 9110 §8.8.3`).
    private static func isEntityTag(_ text: String) -> Bool {
        let quote = UInt8(ascii: "\"")
        guard text.utf8.count >= 2, text.utf8.first == quote, text.utf8.last == quote else { return false }
        return text.utf8.dropFirst().dropLast().allSatisfy { $0 > 0x20 && $0 != quote && $0 != 0x7F }
    }
}

/// Why a file is not taken for an object.
package enum ObjectRecordError: Error, Equatable {
    /// It does not begin as an object's file does.
    case prefix
    /// It is an object's file of another version.
    case version
    /// A field is missing or out of its bounds.
    case header
    /// Its length is not what its header says.
    case truncated
    /// Its bytes are not those that were written.
    case checksum
}

extension ObjectKey {
    /// The key that has this path, from which `?`, `#` and `%` would take away if it were a request's target.
    fileprivate init(path: String) throws(ObjectRecordError) {
        var target = ""
        for scalar in path.unicodeScalars {
            switch scalar {
            case "%": target += "%25"
            case "?": target += "%3F"
            case "#": target += "%23"
            default: target.unicodeScalars.append(scalar)
            }
        }
        do throws(ObjectKeyError) {
            try self.init(requestTarget: target)
        } catch {
            throw .header
        }
        guard self.path.utf8.elementsEqual(path.utf8) else { throw .header }
    }
}

extension ByteBuffer {
    fileprivate mutating func write(text: String) throws(ObjectRecordError) {
        guard let length = UInt16(exactly: text.utf8.count) else { throw .header }
        writeInteger(length)
        writeString(text)
    }

    fileprivate mutating func write<Value>(
        optional value: Value?, _ write: (inout ByteBuffer, Value) throws(ObjectRecordError) -> Void
    ) throws(ObjectRecordError) {
        writeInteger(value == nil ? 0 : 1, as: UInt8.self)
        if let value { try write(&self, value) }
    }

    fileprivate mutating func readText() throws(ObjectRecordError) -> String {
        guard let length = readInteger(as: UInt16.self), let bytes = readBytes(length: Int(length)),
            let text = String(validating: bytes, as: UTF8.self)
        else { throw .header }
        return text
    }

    fileprivate mutating func readNumber<Number: FixedWidthInteger>(
        _ type: Number.Type
    ) throws(ObjectRecordError) -> Number {
        guard let number = readInteger(as: type) else { throw .header }
        return number
    }

    fileprivate mutating func readOptional<Value>(
        _ read: (inout ByteBuffer) throws(ObjectRecordError) -> Value
    ) throws(ObjectRecordError) -> Value? {
        switch readInteger(as: UInt8.self) {
        case 0: return nil
        case 1: return try read(&self)
        default: throw .header
        }
    }
}
