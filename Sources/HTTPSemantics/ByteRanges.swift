/// A Range header in bytes (`RFC 9110 §14.1.2`), as the peer asked for it.
package struct ByteRanges: Equatable, Sendable {
    package enum Spec: Equatable, Sendable {
        /// From a first position through a last one, or to the end.
        case from(Int, through: Position?)
        /// The last so many bytes.
        case suffix(Int)
    }

    /// A position in bytes, with the digits it was written in.
    package struct Position: Equatable, Sendable {
        /// A number beyond 2^53 counts as that, which no object reaches.
        package let value: Int
        package let text: String
    }

    /// At least one, in the order they were asked for.
    package let specs: [Spec]

    /// Nil for what is not a list of at most 64 byte ranges, which is to be ignored (`RFC 9110 §14.2`).
    package init?(header: String) {
        let text = header[...].utf8
        guard let equals = text.firstIndex(of: UInt8(ascii: "=")), text[..<equals].isWord("bytes"),
            let elements = FieldList.elements(text[equals...].dropFirst()), !elements.isEmpty
        else { return nil }
        var specs: [Spec] = []
        for element in elements {
            guard let spec = Spec(element) else { return nil }
            specs.append(spec)
        }
        self.specs = specs
    }

    /// The offsets meant within an object of `length` bytes, in the order they were asked for; none where no range can
    /// be satisfied (416).
    ///
    /// Ranges that overlap, or lie closer than a part's head is long, become one in the place of the first of them
    /// (`RFC 9110 §15.3.7.2`).
    package func resolved(length: Int) -> [Range<Int>] {
        let asked = specs.compactMap { $0.resolved(length: length) }.enumerated()
        var merged: [(place: Int, offsets: Range<Int>)] = []
        for (place, offsets) in asked.sorted(by: { $0.element.lowerBound < $1.element.lowerBound }) {
            if let last = merged.last, offsets.lowerBound - last.offsets.upperBound <= Self.partOverheadBytes {
                let end = max(last.offsets.upperBound, offsets.upperBound)
                merged[merged.count - 1] = (min(last.place, place), last.offsets.lowerBound..<end)
            } else {
                merged.append((place, offsets))
            }
        }
        return merged.sorted { $0.place < $1.place }.map(\.offsets)
    }

    /// What a part of a multipart body costs besides its bytes, about.
    private static let partOverheadBytes = 80
}

extension ByteRanges.Spec {
    fileprivate init?(_ text: Substring.UTF8View) {
        guard let hyphen = text.firstIndex(of: UInt8(ascii: "-")) else { return nil }
        let (first, last) = (text[..<hyphen], text[hyphen...].dropFirst())
        if first.isEmpty {
            guard let count = ByteRanges.Position(last) else { return nil }
            self = .suffix(count.value)
        } else if last.isEmpty {
            guard let start = ByteRanges.Position(first) else { return nil }
            self = .from(start.value, through: nil)
        } else {
            guard let start = ByteRanges.Position(first), let end = ByteRanges.Position(last), start.value <= end.value
            else { return nil }
            self = .from(start.value, through: end)
        }
    }

    fileprivate func resolved(length: Int) -> Range<Int>? {
        switch self {
        case .from(let start, let end):
            guard start < length else { return nil }
            return start..<min(length, (end?.value ?? length - 1) + 1)
        case .suffix(let count):
            guard count > 0, length > 0 else { return nil }
            return max(0, length - count)..<length
        }
    }
}

extension ByteRanges.Position {
    /// The longest number that is read, in digits.
    private static let digitsLimit = 64

    fileprivate init?(_ text: Substring.UTF8View) {
        guard (1...Self.digitsLimit).contains(text.count) else { return nil }
        var value = 0
        for byte in text {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = min(value * 10 + Int(byte - UInt8(ascii: "0")), 1 << 53)
        }
        self.value = value
        self.text = String(Substring(text))
    }
}
