import NIOCore
import OriginPersistence
import OriginStore

/// Reads a file's start and body, which no made-up checksum proves; and demands that a header which is read can be
/// written, and is then read the same again.
package func fuzzObjectRecord(_ bytes: UnsafeRawBufferPointer) {
    let file = unsafe ByteBuffer(bytes: bytes)
    let body = ObjectBody.bytes(ByteBuffer(string: "body"))
    _ = try? ObjectRecord.headerBytes(prefix: file)
    if let object = try? ObjectRecord.decode(file, body: body) {
        precondition((try? ObjectRecord.encode(object)) == file, "an object is written in two ways")
    }
    guard let header = try? ObjectRecord.read(header: file) else { return }
    let object = StoredObject(key: header.key, head: header.head, body: body, epoch: header.epoch)
    guard let start = try? ObjectRecord.encode(object) else { preconditionFailure("what was read cannot be written") }
    precondition((try? ObjectRecord.decode(start, body: body)) == object, "not the same after encoding")
    precondition((try? ObjectRecord.decode(start, body: .bytes(ByteBuffer(string: "bodY")))) == nil)
}

/// Reads a name found in the data directory, and demands that it stays within its folder.
package func fuzzObjectFileName(_ bytes: UnsafeRawBufferPointer) {
    let text = unsafe String(decoding: bytes, as: UTF8.self)
    for folder in ["00", "ab", String(text.prefix(2))] {
        guard let name = ObjectFileName(text, in: folder) else { continue }
        precondition(name.path == "\(folder)/\(text)" && !text.contains("/"))
        precondition(!ObjectFileName.isTemporary(text, in: folder))
    }
}
