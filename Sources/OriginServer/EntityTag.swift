/// Entity tags in conditional requests (`RFC 9110 §8.8.3`).
package enum EntityTag {
    /// Whether If-None-Match, as one or several fields, names this tag or any (`RFC 9110 §13.1.2`).
    ///
    /// Tags compare weakly. A list is read up to where it is malformed.
    package static func isNamed(_ tag: String, in fields: [String]) -> Bool {
        fields.contains { isNamed(tag.utf8, in: $0.utf8) }
    }

    private static func isNamed(_ tag: String.UTF8View, in list: String.UTF8View) -> Bool {
        let quote = UInt8(ascii: "\"")
        var rest = list[...]
        while true {
            rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: ",") }
            if rest.first == UInt8(ascii: "*") { return true }
            if rest.starts(with: "W/".utf8) { rest = rest.dropFirst(2) }
            guard rest.first == quote, let end = rest.dropFirst().firstIndex(of: quote) else { return false }
            if rest[...end].elementsEqual(tag) { return true }
            rest = rest[end...].dropFirst()
        }
    }
}
