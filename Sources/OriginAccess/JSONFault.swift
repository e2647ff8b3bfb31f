/// Looks for the place where a text stops being JSON (`RFC 8259`), which Foundation's decoder does not tell; it also
/// takes commas behind the last element.
struct JSONFault {
    private var rest: Substring.UTF8View
    private static let maximumDepth = 64

    private init(_ text: String) { rest = text[...].utf8 }

    /// The line of the first fault, from 1; nil where none is found.
    static func line(in text: String) -> Int? {
        var scanner = JSONFault(text)
        let isValue = scanner.takeValue(depth: 0)
        if isValue, scanner.next() == nil { return nil }
        return 1 + text.utf8[..<scanner.rest.startIndex].count { $0 == UInt8(ascii: "\n") }
    }

    /// The next byte that is no white space.
    private mutating func next() -> UInt8? {
        rest = rest.drop { " \t\r\n".utf8.contains($0) }
        return rest.first
    }

    private mutating func take(_ byte: StaticString) -> Bool {
        guard let next = next(), byte.description.utf8.elementsEqual([next]) else { return false }
        rest = rest.dropFirst()
        return true
    }

    /// Each of these stops before what is at fault.
    private mutating func takeValue(depth: Int) -> Bool {
        guard depth < Self.maximumDepth else { return false }
        if take("{") {
            return takeList(until: "}") { scanner in
                scanner.takeString() && scanner.take(":") && scanner.takeValue(depth: depth + 1)
            }
        }
        if take("[") { return takeList(until: "]") { $0.takeValue(depth: depth + 1) } }
        return takeString() || takeWord()
    }

    private mutating func takeList(until end: StaticString, _ takeElement: (inout JSONFault) -> Bool) -> Bool {
        if take(end) { return true }
        repeat {
            guard takeElement(&self) else { return false }
        } while take(",")
        return take(end)
    }

    private mutating func takeString() -> Bool {
        guard next() == UInt8(ascii: "\"") else { return false }
        var isEscaped = false
        var bytes = rest.dropFirst()
        while let byte = bytes.popFirst() {
            guard byte >= 0x20 else { return false }
            if byte == UInt8(ascii: "\""), !isEscaped {
                rest = bytes
                return true
            }
            isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
        }
        return false
    }

    /// A number, or one of the three names.
    private mutating func takeWord() -> Bool {
        _ = next()
        let word = Substring(rest.prefix { !" \t\r\n,:[]{}\"".utf8.contains($0) })
        guard ["true", "false", "null"].contains(word) || Double(word) != nil else { return false }
        rest = rest.dropFirst(word.utf8.count)
        return true
    }
}
