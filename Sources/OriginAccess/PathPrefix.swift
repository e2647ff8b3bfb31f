/// A path that stands for itself and everything below it: `/live/show` covers `/live/show/a.ts`, not `/live/showcase`.
struct PathPrefix: Sendable, Equatable {
    /// Without the last slash: empty for the root.
    private let path: String

    static let maximumLength = 1024

    /// Takes a path without percent-encoding, of at most ``maximumLength`` bytes. As in an object's path, empty
    /// components vanish; nil where it does not begin with `/`, or has what no object's path has: `.`, `..`, control
    /// bytes, a backslash.
    init?(_ path: String) {
        guard path.utf8.first == UInt8(ascii: "/"), path.utf8.count <= Self.maximumLength,
            path.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\\") })
        else { return nil }
        let components = path.utf8.split(separator: UInt8(ascii: "/")).map { Substring($0) }
        guard !components.contains("."), !components.contains("..") else { return nil }
        self.path = components.map { "/" + $0 }.joined()
    }

    /// Whether an object's normalised path is this one or below it, byte by byte.
    func covers(_ object: String) -> Bool {
        guard object.utf8.starts(with: path.utf8) else { return false }
        let rest = object.utf8.dropFirst(path.utf8.count)
        return rest.isEmpty || rest.first == UInt8(ascii: "/")
    }
}
