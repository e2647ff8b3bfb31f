/// Numbers as rendition settings write them: digits and at most one point, neither sign nor exponent.
struct Decimal {
    /// The number without its point.
    let significand: Int
    /// What the significand is divided by: 1, 10, 100, …
    let divisor: Int

    /// Takes one to nine digits, and up to six more behind a point; nil for all else.
    init?(_ text: Substring) {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let whole = Self.digits(first, atMost: 9) else { return nil }
        guard parts.count == 2 else {
            (significand, divisor) = (whole, 1)
            return
        }
        guard let fraction = Self.digits(parts[1], atMost: 6) else { return nil }
        divisor = parts[1].reduce(1) { power, _ in power * 10 }
        significand = whole * divisor + fraction
    }

    /// A whole number of at least one digit; nil for all else.
    static func digits(_ text: Substring, atMost count: Int) -> Int? {
        guard (1...count).contains(text.utf8.count),
            text.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains)
        else { return nil }
        return Int(text)
    }

    /// Bits a second: `6000k`, `2.5M` or `2500000`; nil unless they are whole.
    static func bitsPerSecond(_ text: String) -> Int? {
        let (number, factor): (Substring, Int) =
            switch text.last {
            case "k", "K": (text.dropLast(), 1_000)
            case "M": (text.dropLast(), 1_000_000)
            default: (text[...], 1)
            }
        guard let decimal = Decimal(number) else { return nil }
        let (bits, overflow) = decimal.significand.multipliedReportingOverflow(by: factor)
        return overflow || !bits.isMultiple(of: decimal.divisor) ? nil : bits / decimal.divisor
    }
}
