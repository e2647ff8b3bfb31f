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
        var target = Substring(requestTarget)
        for scheme in ["http://", "https://"] where target.hasPrefix(scheme) {
            target = target.dropFirst(scheme.count).drop { $0 != "/" }
        }
        guard target.utf8.first == UInt8(ascii: "/") else { throw .notAbsolute }
        var components: [[UInt8]] = []
        var component: [UInt8] = []
        var length = 0
        var bytes = target.utf8.makeIterator()
        func take(_ component: inout [UInt8]) throws(ObjectKeyError) {
            defer { component.removeAll(keepingCapacity: true) }
            if component.isEmpty { return }
            if component == [UInt8(ascii: ".")] || component == [UInt8(ascii: "."), UInt8(ascii: ".")] {
                throw .dotComponent
            }
            guard components.count < Self.maximumComponents else { throw .tooLong }
            components.append(component)
        }
        while let byte = bytes.next(), byte != UInt8(ascii: "?"), byte != UInt8(ascii: "#") {
            length += 1
            guard length <= Self.maximumLength else { throw .tooLong }
            if byte == UInt8(ascii: "/") {
                try take(&component)
                continue
            }
            var value = byte
            if byte == UInt8(ascii: "%") {
                guard let high = bytes.next().flatMap(hexadecimalDigit), let low = bytes.next().flatMap(hexadecimalDigit)
                else { throw .badEncoding }
                value = high << 4 | low
                // A decoded slash would change the folder a proxy in front believes it forwards to.
                guard value != UInt8(ascii: "/") else { throw .badEncoding }
            }
            guard value >= 0x20, value != 0x7F, value != UInt8(ascii: "\\") else { throw .badCharacter }
            component.append(value)
        }
        try take(&component)
        var path = ""
        for component in components {
            guard let text = String(validating: component, as: UTF8.self) else { throw .badEncoding }
            path += "/" + text
        }
        guard !path.isEmpty else { throw .notAnObject }
        self.path = path
    }

    private init(path: String) {
        self.path = path
    }

    /// The folder the object lies in, without the last slash: `/live/stream` of `/live/stream/a.ts`.
    package var folder: Substring {
        path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
    }

    /// The lower-case part of the name after its last dot; empty without one.
    package var fileExtension: String {
        let name = path[path.index(after: path.lastIndex(of: "/") ?? path.startIndex)...]
        guard let dot = name.lastIndex(of: ".") else { return "" }
        return name[name.index(after: dot)...].lowercased()
    }

    /// The object a relative reference in this playlist means (`RFC 3986 §5.2`); nil where it leads to another
    /// host or out of the tree.
    package func resolving(_ reference: String) -> ObjectKey? {
        if reference.contains("://") || reference.hasPrefix("//") { return nil }
        if reference.hasPrefix("/") { return try? ObjectKey(requestTarget: reference) }
        var components = folder.split(separator: "/")
        var rest = reference.prefix { $0 != "?" && $0 != "#" }
        while rest.hasPrefix("../") || rest.hasPrefix("./") {
            if rest.hasPrefix("../") {
                guard components.popLast() != nil else { return nil }
            }
            rest = rest[rest.index(after: rest.firstIndex(of: "/") ?? rest.startIndex)...]
        }
        let base = components.isEmpty ? "" : "/" + components.joined(separator: "/")
        guard let tail = try? ObjectKey(requestTarget: "/" + rest) else { return nil }
        return ObjectKey(path: base + tail.path)
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
        case .tooLong: "the path is longer than \(ObjectKey.maximumLength) bytes or deeper than \(ObjectKey.maximumComponents) folders"
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
