/// Which content coding a request accepts (`RFC 9110 §12.5.3`).
package enum ContentCoding: String, Sendable {
    case identity
    case gzip

    /// The better one of two that an object can be had in; gzip where both are as welcome.
    ///
    /// Nil where neither is acceptable. Without the field there is no reason to encode. A field that is too long, elements
    /// that are malformed, and what comes after 64 of them, count as if they were not there.
    package static func preferred(_ acceptEncoding: [String]) -> ContentCoding? {
        var gzip: Int?
        var identity: Int?
        var others: Int?
        var elementsLeft = FieldList.limit
        for element in acceptEncoding.lazy.compactMap({ FieldList.elements($0[...].utf8) }).joined() {
            guard elementsLeft > 0 else { break }
            elementsLeft -= 1
            guard let (coding, weight) = weighted(element) else { continue }
            if coding.isWord("gzip") || coding.isWord("x-gzip") {
                gzip = weight
            } else if coding.isWord("identity") {
                identity = weight
            } else if coding.elementsEqual("*".utf8) {
                others = weight
            }
        }
        let gzipWeight = gzip ?? others ?? 0
        if gzipWeight > 0, gzipWeight >= identity ?? 0 { return .gzip }
        return (identity ?? (others == 0 ? 0 : 1)) > 0 ? .identity : nil
    }

    /// Whether gzip is as welcome as any other coding.
    package static func acceptsGzip(_ acceptEncoding: [String]) -> Bool { preferred(acceptEncoding) == .gzip }

    /// A coding with its weight in thousandths; nil for a malformed weight.
    private static func weighted(
        _ element: Substring.UTF8View
    ) -> (coding: Substring.UTF8View, weight: Int)? {
        guard let semicolon = element.firstIndex(of: UInt8(ascii: ";")) else { return (element, 1_000) }
        let coding = element[..<semicolon].withoutOuterSpace
        let parameter = element[semicolon...].dropFirst().withoutOuterSpace
        guard parameter.prefix(2).isWord("q="), let weight = weight(parameter.dropFirst(2)) else { return nil }
        return (coding, weight)
    }

    /// A qvalue in thousandths (`RFC 9110 §12.4.2`).
    private static func weight(_ text: Substring.UTF8View) -> Int? {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard (1...5).contains(text.count), let first = text.first, digits.contains(first) else { return nil }
        let fraction = text.dropFirst(2)
        guard text.count == 1 || text.dropFirst().first == UInt8(ascii: "."), fraction.allSatisfy(digits.contains)
        else {
            return nil
        }
        var thousandths = Int(first - digits.lowerBound)
        for byte in fraction { thousandths = thousandths * 10 + Int(byte - digits.lowerBound) }
        for _ in fraction.count..<3 { thousandths *= 10 }
        return thousandths <= 1_000 ? thousandths : nil
    }
}
