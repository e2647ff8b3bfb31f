/// Reads the value types of `RFC 8216bis §4.2`; nil for what is malformed or out of range.
enum PlaylistValue {
    /// decimal-integer, 0 to 2⁶³ − 1.
    static func integer(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.count <= 20 else { return nil }
        var value = 0
        for byte in text.utf8 {
            guard let digit = digit(byte) else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(digit)
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }

    /// decimal-integer or decimal-floating-point of seconds, 0 to a day, exact to the nanosecond (more is cut off).
    static func seconds(_ text: Substring) -> Duration? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first.flatMap(integer), whole <= 86_400 else { return nil }
        var nanoseconds: Int64 = 0
        if parts.count == 2 {
            var unit: Int64 = 100_000_000
            for byte in parts[1].utf8 {
                guard let digit = digit(byte) else { return nil }
                nanoseconds += Int64(digit) * unit
                unit /= 10
            }
        }
        return .seconds(whole) + .nanoseconds(nanoseconds)
    }

    /// decimal-floating-point, 0 to 1,000,000.
    static func floatingPoint(_ text: Substring) -> Double? {
        guard text.utf8.count <= 32, text.utf8.allSatisfy({ digit($0) != nil || $0 == UInt8(ascii: ".") }),
            let value = Double(text), (0...1_000_000).contains(value)
        else { return nil }
        return value
    }

    /// decimal-resolution, `WIDTHxHEIGHT`.
    static func resolution(_ text: Substring) -> MultivariantPlaylist.Resolution? {
        let parts = text.split(separator: "x", omittingEmptySubsequences: false)
        guard parts.count == 2, let width = integer(parts[0]), let height = integer(parts[1]) else { return nil }
        return .init(width: width, height: height)
    }

    /// `LENGTH[@OFFSET]` (`§4.4.4.2`).
    static func byteRange(_ text: Substring) -> MediaPlaylist.ByteRange? {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let length = integer(parts[0]) else { return nil }
        guard parts.count == 2 else { return .init(length: length) }
        guard let offset = integer(parts[1]) else { return nil }
        return .init(length: length, offset: offset)
    }

    /// An attribute list (`§4.2`): the values by name, quotes taken off; nil when it is malformed.
    static func attributes(_ text: Substring) -> [Substring: Substring]? {
        var result: [Substring: Substring] = [:]
        var rest = text.utf8
        while !rest.isEmpty {
            guard let equals = rest.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            let name = Substring(rest[..<equals]).trimmed
            rest = rest[rest.index(after: equals)...]
            if rest.first == UInt8(ascii: "\"") {
                rest = rest.dropFirst()
                guard let quote = rest.firstIndex(of: UInt8(ascii: "\"")) else { return nil }
                result[name] = Substring(rest[..<quote])
                rest = rest[rest.index(after: quote)...]
                guard rest.isEmpty || rest.first == UInt8(ascii: ",") else { return nil }
            } else {
                let end = rest.firstIndex(of: UInt8(ascii: ",")) ?? rest.endIndex
                guard !rest[..<end].contains(UInt8(ascii: "\"")) else { return nil }
                result[name] = Substring(rest[..<end]).trimmed
                rest = rest[end...]
            }
            rest = rest.dropFirst()
        }
        return result
    }

    private static func digit(_ byte: UInt8) -> Int? {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? Int(byte - UInt8(ascii: "0")) : nil
    }
}

extension Duration {
    /// As EXTINF has it: at least three decimals and at most six, the rest cut off so that it never rounds to more.
    var playlistSeconds: String {
        let (seconds, attoseconds) = components
        let microseconds = max(0, attoseconds / 1_000_000_000_000)
        let digits = String(1_000_000 + microseconds).dropFirst()
        let end = digits.hasSuffix("000") ? digits.index(digits.startIndex, offsetBy: 3) : digits.endIndex
        return "\(max(0, seconds)).\(digits[..<end])"
    }

    /// Rounded to whole seconds, halves up, as the target duration bounds it (`RFC 8216bis §4.4.3.1`).
    package var roundedSeconds: Int {
        let (seconds, attoseconds) = components
        return Int(seconds) + (attoseconds >= 500_000_000_000_000_000 ? 1 : 0)
    }
}
