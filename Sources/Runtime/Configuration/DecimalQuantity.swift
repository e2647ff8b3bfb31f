/// A decimal number with a unit behind it, such as `1.5s` or `64 MiB`, kept exact.
struct DecimalQuantity {
    /// The number without its point.
    var significand: Int128
    /// How many of the significand's digits stand behind the point.
    var fractionDigits: Int
    /// What follows the number; empty where nothing does.
    var unit: String

    /// Takes digits, at most 18 before the point and 18 behind it, no sign, no exponent; nil for all else.
    init?(_ text: String) {
        let trimmed = text[...].trimmingWhitespace
        let number = trimmed.prefix { $0.isASCII && $0.isNumber || $0 == "." }
        let parts = number.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, (1...18).contains(whole.count) else { return nil }
        let fraction = parts.count == 2 ? parts[1] : ""
        guard parts.count == 1 || (1...18).contains(fraction.count) else { return nil }
        guard let significand = Int128("\(whole)\(fraction)") else { return nil }
        self.significand = significand
        fractionDigits = fraction.count
        unit = String(trimmed[number.endIndex...].trimmingWhitespace)
    }

    /// The number times `multiplier`; nil unless that is whole and fits.
    func scaled(by multiplier: Int128) -> Int128? {
        let (product, overflow) = significand.multipliedReportingOverflow(by: multiplier)
        let divisor = (0..<fractionDigits).reduce(Int128(1)) { power, _ in power * 10 }
        guard !overflow, product.isMultiple(of: divisor) else { return nil }
        return product / divisor
    }
}
