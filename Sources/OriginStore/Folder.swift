/// A path above objects, without a slash at its end: the same as another where its bytes are (`RFC 3986 §6.2.1`),
/// whatever letters they spell.
///
/// As text, paths that only spell their letters differently would be one, and all would have the same hash.
package struct Folder: Hashable, Sendable {
    package let path: Substring

    package init(_ path: Substring) { self.path = path }

    package static func == (one: Folder, other: Folder) -> Bool { one.path.utf8.elementsEqual(other.path.utf8) }

    package func hash(into hasher: inout Hasher) { hasher.combine(pathBytes: path.utf8) }

    /// Whether an object lies somewhere below.
    func holds(_ key: ObjectKey) -> Bool {
        let bytes = key.path.utf8
        return bytes.starts(with: path.utf8) && bytes.dropFirst(path.utf8.count).first == UInt8(ascii: "/")
    }
}

extension Hasher {
    /// Bytes by themselves, as `==` sees them.
    mutating func combine(pathBytes: some Collection<UInt8>) {
        let done: Void? = pathBytes.withContiguousStorageIfAvailable {
            unsafe combine(bytes: UnsafeRawBufferPointer($0))
        }
        if done == nil { for byte in pathBytes { combine(byte) } }
    }
}
