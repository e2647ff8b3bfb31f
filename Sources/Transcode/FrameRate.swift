/// Pictures a second as an exact fraction, since 29.97 means 30000/1001.
package struct FrameRate: Hashable, Sendable {
    /// At least 1.
    package let numerator: Int32
    /// At least 1.
    package let denominator: Int32

    /// Nil unless both are at least 1.
    package init?(_ numerator: Int32, _ denominator: Int32 = 1) {
        guard numerator > 0, denominator > 0 else { return nil }
        self.numerator = numerator
        self.denominator = denominator
    }

    package var framesPerSecond: Double { Double(numerator) / Double(denominator) }

    /// What 23.976, 29.97, 59.94 and 119.88 are short for.
    private static let televisionRates: [(decimal: Double, numerator: Int32)] = [
        (23.976, 24_000), (23.98, 24_000), (29.97, 30_000), (47.952, 48_000), (47.95, 48_000), (59.94, 60_000),
        (119.88, 120_000),
    ]
}

extension FrameRate {
    /// Reads `30`, `12.5`, `30000/1001` or `29.97`; nil for all else, and for a rate that is not above 0.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2 {
            let numerator = Decimal.digits(parts[0], atMost: 7) ?? 0
            self.init(Int32(numerator), Int32(Decimal.digits(parts[1], atMost: 5) ?? 0))
            return
        }
        guard let decimal = Decimal(text[...]), decimal.divisor <= 1_000, decimal.significand <= 1_000_000
        else { return nil }
        let value = Double(decimal.significand) / Double(decimal.divisor)
        if let television = Self.televisionRates.first(where: { $0.decimal == value }) {
            self.init(television.numerator, 1_001)
        } else {
            self.init(Int32(decimal.significand), Int32(decimal.divisor))
        }
    }
}
