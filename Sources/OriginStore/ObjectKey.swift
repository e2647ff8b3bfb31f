/// An object's identity: the normalised path of its URL, without query.
///
/// Percent-encoding is decoded, empty components vanish, and `..`, `.`, control bytes and backslashes are refused,
/// so that two spellings of one path are one object and no path leaves its folder (`RFC 3986 §6.2.2`).
package struct ObjectKey: Hashable, Sendable {
    /// The path, beginning with `/`; at most ``maximumLength`` bytes.
    package let path: String

    package static let maximumLength = 1024
    package static let maximumComponents = 32

    /// Reads a request target in origin form or absolute form (`RFC 9112 §3.2`).
    package init(requestTarget: some StringProtocol) throws(ObjectKeyError) {
        var target = Substring(requestTarget).utf8
        for scheme in ["http://", "https://"]
        where target.starts(with: scheme.utf8, by: { $0 | ($0 > 0x40 ? 0x20 : 0) == $1 }) {
            target = target.dropFirst(scheme.utf8.count).drop { $0 != UInt8(ascii: "/") }
            break
        }
        guard target.first == UInt8(ascii: "/") else { throw .notAbsolute }
        let encoded = target.prefix(Self.maximumLength + 1).prefix {
            $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#")
        }
        guard encoded.count <= Self.maximumLength else { throw .tooLong }
        if Self.isNormalised(encoded) {
            self.init(normalised: String(Substring(encoded)))
            return
        }
        var components: [String] = []
        for part in encoded.split(separator: UInt8(ascii: "/")) {
            let component = try Self.decode(part)
            guard component != ".", component != ".." else { throw .dotComponent }
            components.append(component)
        }
        try self.init(components)
    }

    /// Whether a path is without doubt written as a key's is, so that it needs no taking apart: nearly all are.
    private static func isNormalised(_ path: Substring.UTF8View) -> Bool {
        let slash = UInt8(ascii: "/")
        var components = 0
        var last = UInt8(ascii: ".")
        for byte in path {
            if byte == slash { components += 1 }
            guard byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "%"), byte != UInt8(ascii: "\\"),
                last != slash || byte != slash && byte != UInt8(ascii: ".")
            else { return false }
            last = byte
        }
        return last != slash && components <= maximumComponents
    }

    private init(normalised path: String) { self.path = path }

    private init(_ components: [String]) throws(ObjectKeyError) {
        guard !components.isEmpty else { throw .notAnObject }
        guard components.count <= Self.maximumComponents else { throw .tooLong }
        path = "/" + components.joined(separator: "/")
        guard path.utf8.count <= Self.maximumLength else { throw .tooLong }
    }

    /// Takes percent-encoding off one component (`RFC 3986 §2.1`).
    private static func decode(_ encoded: Substring.UTF8View) throws(ObjectKeyError) -> String {
        var component: [UInt8] = []
        var bytes = encoded.makeIterator()
        while var byte = bytes.next() {
            if byte == UInt8(ascii: "%") {
                guard let high = bytes.next().flatMap(hexadecimalDigit),
                    let low = bytes.next().flatMap(hexadecimalDigit)
                else { throw .badEncoding }
                byte = high << 4 | low
                // A decoded slash would change the folder a proxy in front believes it forwards to.
                guard byte != UInt8(ascii: "/") else { throw .badEncoding }
            }
            guard byte >= 0x20, byte != 0x7F, byte != UInt8(ascii: "\\") else { throw .badCharacter }
            component.append(byte)
        }
        guard let text = String(validating: component, as: UTF8.self) else { throw .badEncoding }
        return text
    }

    /// Paths are the same where their bytes are (`RFC 3986 §6.2.1`), whatever letters they spell.
    package static func == (one: ObjectKey, other: ObjectKey) -> Bool {
        one.path.utf8.elementsEqual(other.path.utf8)
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(pathBytes: path.utf8) }

    private var lastSlash: String.Index {
        path.utf8.lastIndex(of: UInt8(ascii: "/")) ?? path.startIndex
    }

    /// The folder the object lies in, without the last slash: `/live/stream` of `/live/stream/a.ts`.
    package var folder: Folder { Folder(path[..<lastSlash]) }

    /// The stream the object belongs to: the first two components of its folder, `/live/show` of `/live/show/a/b.ts`,
    /// or the whole folder where it has fewer.
    package var stream: Folder {
        let slash = UInt8(ascii: "/")
        let bytes = path.utf8
        let end = lastSlash
        var index = bytes.startIndex
        for _ in 0..<2 {
            guard index < end else { return Folder(path[..<end]) }
            index = bytes[index...].dropFirst().firstIndex(of: slash) ?? end
        }
        return Folder(path[..<min(index, end)])
    }

    /// The lower-case part of the name after its last dot; empty without one.
    package var fileExtension: String {
        let name = path.utf8[lastSlash...].dropFirst()
        guard let dot = name.lastIndex(of: UInt8(ascii: ".")) else { return "" }
        return Substring(name[dot...].dropFirst()).lowercased()
    }

    /// Whether the name ends with a dot and this extension, which is in lower case.
    package func hasExtension(_ name: String) -> Bool {
        let end = path.utf8.suffix(name.utf8.count + 1)
        return end.first == UInt8(ascii: ".") && zip(end.dropFirst(), name.utf8).allSatisfy { $0 | 0x20 == $1 }
    }

    /// Whether the object is a playlist or manifest, stored whole or not at all.
    package var isPlaylist: Bool { hasExtension("m3u8") || hasExtension("mpd") }

    /// The object a relative reference in this playlist means (`RFC 3986 §5.2`); nil where it leads to another
    /// host, out of the tree, or to no path an object may have.
    package func resolving(_ reference: String) -> ObjectKey? {
        let slash = UInt8(ascii: "/")
        let encoded = Substring(reference).utf8.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        // A colon before the first slash ends a scheme.
        guard !encoded.starts(with: "//".utf8), !encoded.prefix(while: { $0 != slash }).contains(UInt8(ascii: ":")),
            encoded.last != slash
        else { return nil }
        var components =
            encoded.first == slash ? [] : folder.path.utf8.split(separator: slash).map { String(Substring($0)) }
        var namesObject = false
        for part in encoded.split(separator: slash) {
            guard let component = try? Self.decode(part) else { return nil }
            namesObject = component != "." && component != ".."
            if namesObject { components.append(component) }
            if component == "..", components.popLast() == nil { return nil }
        }
        return namesObject ? try? ObjectKey(components) : nil
    }
}

/// Why a request target names no object.
package enum ObjectKeyError: Error, Equatable {
    case notAbsolute, notAnObject, dotComponent, badEncoding, badCharacter, tooLong

    package var reason: String {
        switch self {
        case .notAbsolute: "the path must begin with a slash"
        case .notAnObject: "the path names no object"
        case .dotComponent: "the path must not contain '.' or '..'"
        case .badEncoding: "the path's percent-encoding is wrong or not UTF-8"
        case .badCharacter: "the path contains a control character or a backslash"
        case .tooLong:
            "the path is longer than \(ObjectKey.maximumLength) bytes or deeper than \(ObjectKey.maximumComponents) folders"
        }
    }
}

private func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
