/// The one range that a request asks for of an object whose length is not known yet (`RFC 8673 §2`).
package struct GrowingRange: Equatable, Sendable {
    /// Offset of the first byte; 2^53 stands for all beyond.
    package let first: Int
    /// Offset of the last byte; 2^53 stands for all beyond, nil for what there is.
    package let last: Int?
    /// The last offset in the peer's own digits, which the answer repeats; empty where there is none.
    package let lastText: String

    /// Nil for several ranges, those counted from the end, and what is no range: all of them are ignored.
    package init?(header: String) {
        guard let ranges = ByteRanges(header: header), ranges.specs.count == 1,
            case .from(let first, let last) = ranges.specs[0]
        else { return nil }
        self.first = first
        self.last = last?.value
        lastText = last?.text ?? ""
    }

    /// Whether all is meant that the object will have.
    package var isEndless: Bool { last.map { $0 >= 1 << 53 - 1 } ?? false }
}
