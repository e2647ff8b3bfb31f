/// Entity tags in conditional requests (`RFC 9110 §8.8.3`).
package enum EntityTag {
    package enum Comparison { case weak, strong }

    /// Whether If-None-Match or If-Match, as one or several fields, names this tag, or any (`RFC 9110 §13.1`).
    ///
    /// A list is read up to where it is malformed, and no more than 64 tags are in all.
    /// - Parameter tag: strong, with its quotes; nil is named by `*` alone.
    package static func isNamed(_ tag: String?, in fields: [String], _ comparison: Comparison = .weak) -> Bool {
        var tagsLeft = FieldList.limit
        return fields.contains { field in
            if field[...].utf8.withoutOuterSpace.elementsEqual("*".utf8) { return true }
            guard let tag else { return false }
            return isListed(tag.utf8, in: field.utf8, comparison, &tagsLeft)
        }
    }

    /// The tag of the same object in another content coding (`RFC 9110 §8.8.3.3`).
    package static func of(_ tag: String, coding: String) -> String {
        guard tag.utf8.count >= 2, tag.utf8.last == UInt8(ascii: "\"") else { return tag }
        return "\(tag.dropLast())-\(coding)\""
    }

    private static func isListed(
        _ tag: String.UTF8View, in list: String.UTF8View, _ comparison: Comparison, _ tagsLeft: inout Int
    ) -> Bool {
        let quote = UInt8(ascii: "\"")
        var rest = list[...]
        while tagsLeft > 0 {
            rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: ",") }
            let isWeak = rest.starts(with: "W/".utf8)
            if isWeak { rest = rest.dropFirst(2) }
            guard rest.first == quote, let end = rest.dropFirst().firstIndex(of: quote) else { return false }
            tagsLeft -= 1
            if !(isWeak && comparison == .strong), rest[...end].elementsEqual(tag) { return true }
            rest = rest[end...].dropFirst()
        }
        return false
    }
}
