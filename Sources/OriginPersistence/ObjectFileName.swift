import Crypto
package import OriginStore

/// The name of an object's file: the SHA-256 of its path, in one of 256 folders that its first byte names.
package struct ObjectFileName: Hashable, Sendable {
    /// Two hexadecimal digits.
    package let folder: String
    /// The name within the folder.
    package let name: String

    private static let suffix = ".object"
    private static let temporarySuffix = ".part"
    private static let digits = Array("0123456789abcdef".utf8)

    package static let folders = digits.flatMap { high in
        digits.map { low in String(decoding: [high, low], as: UTF8.self) }
    }

    package init(_ key: ObjectKey) {
        let digest = SHA256.hash(data: Array(key.path.utf8))
        let hexadecimal = digest.flatMap { [Self.digits[Int($0 >> 4)], Self.digits[Int($0 & 15)]] }
        folder = String(decoding: hexadecimal.prefix(2), as: UTF8.self)
        name = String(decoding: hexadecimal, as: UTF8.self) + Self.suffix
    }

    /// A name found in a folder; nil where no object's file has such a name there.
    package init?(_ name: String, in folder: String) {
        guard name.hasSuffix(Self.suffix), Self.isDigest(name.dropLast(Self.suffix.count), in: folder) else {
            return nil
        }
        self.folder = folder
        self.name = name
    }

    /// The path within the data directory.
    package var path: String { "\(folder)/\(name)" }

    /// Where the file is written before it takes its place.
    var temporaryPath: String { path + Self.temporarySuffix }

    /// Whether a name found in a folder is that of a file which was not written to its end.
    package static func isTemporary(_ name: String, in folder: String) -> Bool {
        name.hasSuffix(temporarySuffix) && Self(String(name.dropLast(temporarySuffix.count)), in: folder) != nil
    }

    private static func isDigest(_ text: Substring, in folder: String) -> Bool {
        text.utf8.count == 2 * SHA256.byteCount && text.hasPrefix(folder) && text.utf8.allSatisfy(digits.contains)
    }
}
