/// One range of a Range header (`RFC 9110 §14.1.2`), as the peer asked for it.
package enum ByteRange: Equatable, Sendable {
    case from(Int, through: Int?)
    case suffix(Int)

    /// A single byte range; nil for anything else, which is to be ignored (`RFC 9110 §14.2`).
    package init?(header: String) {
        guard header.lowercased().hasPrefix("bytes="), !header.contains(",") else { return nil }
        let parts = header.dropFirst(6).split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let (first, last) = (parts[0].trimmed, parts[1].trimmed)
        if first.isEmpty {
            guard let count = Self.number(last) else { return nil }
            self = .suffix(count)
        } else {
            guard let start = Self.number(first) else { return nil }
            guard !last.isEmpty else {
                self = .from(start, through: nil)
                return
            }
            guard let end = Self.number(last), end >= start else { return nil }
            self = .from(start, through: end)
        }
    }

    /// The offsets meant within an object of `length` bytes; nil where the range cannot be satisfied (416).
    package func resolved(length: Int) -> Range<Int>? {
        switch self {
        case .from(let start, let end):
            guard start < length else { return nil }
            return start..<min(length, (end ?? length - 1) + 1)
        case .suffix(let count):
            guard count > 0, length > 0 else { return nil }
            return max(0, length - count)..<length
        }
    }

    /// Digits only; a number beyond 2^53 counts as that, which no object reaches.
    private static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        return min(Int(text) ?? 1 << 53, 1 << 53)
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return text
    }
}
