extension Duration {
    /// Units from the longest down, in nanoseconds.
    private static let units: [(name: String, nanoseconds: Int128)] = [
        ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000),
        ("ms", 1_000_000), ("us", 1_000), ("ns", 1),
    ]

    /// Reads a time as settings write it: `1s`, `500ms`, `2m`, `1.5s`; a bare number is seconds.
    ///
    /// From 0 to 292 years in whole nanoseconds; nil for all else.
    package init?(text: String) {
        guard let quantity = DecimalQuantity(text) else { return nil }
        let name = quantity.unit.isEmpty ? "s" : quantity.unit
        guard let unit = Self.units.first(where: { $0.name == name }),
            let nanoseconds = quantity.scaled(by: unit.nanoseconds).flatMap({ Int64(exactly: $0) })
        else { return nil }
        self = .nanoseconds(nanoseconds)
    }

    /// The time as settings write it, in the longest unit that it is a whole number of; rounded down to nanoseconds.
    package var text: String {
        let nanoseconds = attoseconds / 1_000_000_000
        if nanoseconds == 0 { return "0s" }
        let unit = Self.units.first { nanoseconds.isMultiple(of: $0.nanoseconds) } ?? ("ns", 1)
        return "\(nanoseconds / unit.nanoseconds)\(unit.name)"
    }
}
