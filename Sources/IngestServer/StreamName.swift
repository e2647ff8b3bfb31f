/// What a broadcast is called, in RTMP and in its URLs: an application and a stream, both of checked path components.
package struct StreamName: Hashable, Sendable {
    /// `/APP/STREAM`.
    package let path: String

    package static let maximumLength = 256
    package static let maximumComponents = 16

    /// Nil unless both are non-empty, of letters, digits, `-`, `_`, `.` and `~` (`RFC 3986 §2.3`), with slashes
    /// between at most ``maximumComponents`` components that do not begin with a dot.
    package init?(app: String, stream: String) {
        let components = [app, stream].flatMap { $0.split(separator: "/", omittingEmptySubsequences: false) }
        guard !app.isEmpty, !stream.isEmpty, components.count <= Self.maximumComponents,
            components.allSatisfy(Self.isAllowed)
        else { return nil }
        path = "/" + components.joined(separator: "/")
        guard path.utf8.count <= Self.maximumLength else { return nil }
    }

    /// The stream whose folder an object lies in.
    package init(folderOf objectPath: String) {
        path = String(objectPath[..<(objectPath.lastIndex(of: "/") ?? objectPath.startIndex)])
    }

    private static func isAllowed(_ component: Substring) -> Bool {
        guard let first = component.utf8.first, first != UInt8(ascii: ".") else { return false }
        return component.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "~"):
                true
            default: false
            }
        }
    }
}
