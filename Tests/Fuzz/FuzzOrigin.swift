import NIOCore
import OriginStore

/// Reads a request target as an object's key, and demands that it stays within the tree and is read the same again.
package func fuzzObjectKey(_ bytes: UnsafeRawBufferPointer) {
    let text = unsafe String(decoding: bytes, as: UTF8.self)
    if let key = try? ObjectKey(requestTarget: text) { checkKey(key) }
    guard let playlist = try? ObjectKey(requestTarget: "/live/stream/source.m3u8") else { return }
    if let key = playlist.resolving(text) { checkKey(key) }
}

/// Looks through a manifest, and demands that what it names is no more than may be, and no template.
package func fuzzPresentationDescription(_ bytes: UnsafeRawBufferPointer) {
    let body = unsafe ByteBuffer(bytes: bytes)
    guard let description = PresentationDescription(body, limit: 10) else { return }
    precondition(description.uris.count <= 10 && !description.uris.contains { $0.contains("$") })
}

private func checkKey(_ key: ObjectKey) {
    precondition(key.path.utf8.starts(with: key.folder.path.utf8) && !key.fileExtension.contains("/"))
    precondition(key.path.utf8.first == UInt8(ascii: "/") && key.path.utf8.count <= ObjectKey.maximumLength)
    precondition(key.path.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\\") })
    let components = key.path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst()
    precondition(!components.contains { $0.isEmpty || $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) })
    let encoded = key.path.utf8.map { byte in
        byte == UInt8(ascii: "/") ? "/" : "%" + String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
    }.joined()
    guard encoded.utf8.count <= ObjectKey.maximumLength else { return }
    precondition((try? ObjectKey(requestTarget: encoded)) == key, "a key does not survive a round trip")
}
