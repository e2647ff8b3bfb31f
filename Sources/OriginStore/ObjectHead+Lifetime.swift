extension ObjectHead {
    /// How long the uploader's Cache-Control lets the object live, in whole seconds from its last byte; at most 2^31,
    /// nil where it does not say (`RFC 9111 §5.2.2`).
    ///
    /// `s-maxage` wins over `max-age`, the first of several over the others, and what is no number says nothing.
    package var lifetimeSeconds: Int? {
        guard let cacheControl else { return nil }
        var maximumAge: Int?
        var sharedMaximumAge: Int?
        for (name, value) in Self.directives(cacheControl) {
            guard let value, let seconds = Self.deltaSeconds(value) else { continue }
            switch name.lowercased() {
            case "max-age": maximumAge = maximumAge ?? seconds
            case "s-maxage": sharedMaximumAge = sharedMaximumAge ?? seconds
            default: continue
            }
        }
        return sharedMaximumAge ?? maximumAge
    }

    /// The directives of a Cache-Control value (`RFC 9111 §5.2`, `RFC 9110 §5.6.1`), without the quotes of a value.
    private static func directives(_ text: String) -> [(name: Substring, value: Substring?)] {
        var directives: [(name: Substring, value: Substring?)] = []
        var rest = Substring(text)
        while !rest.isEmpty {
            let element = rest.prefix(elementLength(rest))
            rest = rest[element.endIndex...].dropFirst()
            guard let equals = element.firstIndex(of: "=") else {
                directives.append((trimmed(element), nil))
                continue
            }
            var value = trimmed(element[equals...].dropFirst())
            if value.count >= 2, value.first == "\"", value.last == "\"" { value = value.dropFirst().dropLast() }
            directives.append((trimmed(element[..<equals]), value))
        }
        return directives
    }

    /// How many characters of a list belong to its first element: up to a comma that does not stand in quotes.
    private static func elementLength(_ list: Substring) -> Int {
        var isQuoted = false
        var isEscaped = false
        for (offset, character) in list.enumerated() {
            if isEscaped {
                isEscaped = false
            } else if character == "\\" {
                isEscaped = isQuoted
            } else if character == "\"" {
                isQuoted.toggle()
            } else if character == ",", !isQuoted {
                return offset
            }
        }
        return list.count
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let isSpace = { (character: Character) in character == " " || character == "\t" }
        let start = text.drop(while: isSpace)
        guard let last = start.lastIndex(where: { !isSpace($0) }) else { return start }
        return start[...last]
    }

    /// Reads a number of seconds; one too large for 31 bits is 2^31 (`RFC 9111 §1.2.2`).
    private static func deltaSeconds(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        return min(Int(text) ?? .max, 1 << 31)
    }
}
