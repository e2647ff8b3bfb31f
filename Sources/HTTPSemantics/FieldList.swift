/// Fields whose value is a list (`RFC 9110 §5.6.1`) of elements without quoted strings.
enum FieldList {
    /// Elements that are looked at, empty ones counted.
    static let limit = 64

    /// The elements without the white space around them, empty ones left out; nil where there are too many.
    static func elements(_ text: Substring.UTF8View) -> [Substring.UTF8View]? {
        let elements = text.split(separator: UInt8(ascii: ","), maxSplits: limit, omittingEmptySubsequences: false)
        guard elements.count <= limit else { return nil }
        return elements.map(\.withoutOuterSpace).filter { !$0.isEmpty }
    }
}

extension Substring.UTF8View {
    /// Without the spaces and tabs around it (`RFC 9110 §5.6.3`).
    package var withoutOuterSpace: Substring.UTF8View {
        func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        let start = drop(while: isSpace)
        guard let last = start.lastIndex(where: { !isSpace($0) }) else { return start }
        return start[...last]
    }

    /// Whether it is this lower-case word in any case.
    package func isWord(_ word: String) -> Bool {
        lazy.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
            .elementsEqual(word.utf8)
    }
}
