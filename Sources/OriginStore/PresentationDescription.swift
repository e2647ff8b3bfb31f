package import NIOCore

/// What a DASH manifest (MPD) names that has no number or time in its name: initialization segments, above all.
///
/// Those are uploaded once and wanted by everybody who joins, whereas numbered media comes and goes. The text is looked
/// through, not parsed: a template stands for every representation, and a name too many does no harm. BaseURL is not
/// looked at.
package struct PresentationDescription: Sendable {
    /// References relative to the manifest (`ISO/IEC 23009-1 §5.3.9`).
    package let uris: [String]

    /// Nil where the text is no whole manifest.
    /// - Parameter limit: references taken.
    package init?(_ body: ByteBuffer, limit: Int) {
        var identifiers: Set<String> = []
        var bandwidths: Set<String> = []
        var templates: Set<String> = []
        var isOpen = false
        var isWhole = false
        for part in body.readableBytesView.split(separator: UInt8(ascii: "<")) {
            let tag = Tag(part.prefix { $0 != UInt8(ascii: ">") })
            switch tag.name {
            case "MPD":
                isOpen = true
                isWhole = tag.isEmpty
            case "/MPD": isWhole = isOpen
            case "Representation":
                if let value = tag.value(of: "id") { identifiers.insert(value) }
                if let value = tag.value(of: "bandwidth") { bandwidths.insert(value) }
            case "SegmentTemplate", "SegmentURL", "Initialization":
                for name in ["initialization", "sourceURL", "media"] {
                    if templates.count < limit, let value = tag.value(of: name) { templates.insert(value) }
                }
            default: break
            }
        }
        guard isWhole else { return nil }
        var uris = templates
        for (name, values) in [("$RepresentationID$", identifiers), ("$Bandwidth$", bandwidths)] {
            for template in uris where template.contains(name) {
                uris.remove(template)
                let parts = template.split(separator: name, omittingEmptySubsequences: false)
                for value in values.prefix(limit - min(limit, uris.count)) {
                    uris.insert(parts.joined(separator: value))
                }
            }
        }
        self.uris = uris.filter { !$0.contains("$") }.sorted()
    }

    /// A tag's text between its angle brackets.
    private struct Tag {
        private let text: Substring
        let name: Substring

        init(_ bytes: ByteBufferView) {
            let text = Substring(decoding: bytes, as: UTF8.self)
            self.text = text
            name = text.prefix { !$0.isWhitespace && ($0 != "/" || $0 == text.first) }
        }

        /// Whether it has no end tag.
        var isEmpty: Bool { text.utf8.last == UInt8(ascii: "/") }

        func value(of attribute: String) -> String? {
            var rest = text.dropFirst(name.count)
            while let equals = rest.firstIndex(of: "=") {
                let key = rest[..<equals].drop(while: \.isWhitespace).prefix { !$0.isWhitespace }
                let quoted = rest[equals...].dropFirst().drop(while: \.isWhitespace)
                guard let quote = quoted.first, quote == "\"" || quote == "'",
                    let end = quoted.dropFirst().firstIndex(of: quote)
                else { return nil }
                if key == attribute { return String(quoted[..<end].dropFirst()) }
                rest = quoted[end...].dropFirst()
            }
            return nil
        }
    }
}
