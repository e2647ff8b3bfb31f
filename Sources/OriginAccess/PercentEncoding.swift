/// Percent-encoding of paths within queries and cookies (`RFC 3986 §2.1`).
enum PercentEncoding {
    /// The text without encoding, `+` being itself; nil where an escape is broken or the bytes are not UTF-8.
    static func decoded(_ text: Substring) -> String? {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var encoded = text.utf8.makeIterator()
        while var byte = encoded.next() {
            if byte == UInt8(ascii: "%") {
                guard let high = encoded.next().flatMap(hexadecimalDigit),
                    let low = encoded.next().flatMap(hexadecimalDigit)
                else { return nil }
                byte = high << 4 | low
            }
            bytes.append(byte)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// The text with all bytes encoded that are neither unreserved (`RFC 3986 §2.3`) nor a slash.
    static func encoded(_ text: String) -> String {
        text.utf8.reduce(into: "") { encoded, byte in
            let character = Character(Unicode.Scalar(byte))
            if byte < 0x80, Substring(String(character)).isAlphanumeric(or: "-._~/") {
                encoded.append(character)
            } else {
                encoded += (byte < 0x10 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
    }

    /// The bytes that pairs of hexadecimal digits stand for; nil where there is anything else.
    static func bytes(hexadecimal text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        var digits = text.utf8.makeIterator()
        while let digit = digits.next() {
            guard let high = hexadecimalDigit(digit), let low = digits.next().flatMap(hexadecimalDigit) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        bytes.reduce(into: "") { $0 += ($1 < 0x10 ? "0" : "") + String($1, radix: 16) }
    }

    private static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
