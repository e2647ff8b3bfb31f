/// An amount of memory, at least 0, as settings write it: `64MiB`, `1GB`, `1048576`.
package struct ByteCount: Hashable, Sendable {
    package var bytes: Int

    package init(_ bytes: Int) { self.bytes = bytes }

    /// Units from the largest down. `k` is written small where it is decimal; capitals are not told apart when reading.
    private static let units: [(name: String, bytes: Int)] = [
        ("TiB", 1 << 40), ("TB", 1_000_000_000_000), ("GiB", 1 << 30), ("GB", 1_000_000_000),
        ("MiB", 1 << 20), ("MB", 1_000_000), ("KiB", 1 << 10), ("kB", 1_000), ("B", 1),
    ]
}

extension ByteCount: LosslessStringConvertible {
    /// Reads a number, which may have a fraction as long as the bytes are whole, with or without a unit.
    package init?(_ text: String) {
        guard let quantity = DecimalQuantity(text) else { return nil }
        let name = quantity.unit.isEmpty ? "b" : quantity.unit.lowercased()
        guard let unit = Self.units.first(where: { $0.name.lowercased() == name }),
            let bytes = quantity.scaled(by: Int128(unit.bytes)).flatMap({ Int(exactly: $0) })
        else { return nil }
        self.bytes = bytes
    }

    /// In the largest unit that it is a whole number of; without a unit where that is the byte.
    package var description: String {
        guard bytes != 0, let unit = Self.units.first(where: { bytes.isMultiple(of: $0.bytes) }), unit.bytes > 1 else {
            return "\(bytes)"
        }
        return "\(bytes / unit.bytes)\(unit.name)"
    }
}
