/// A signed statement that everything below a path may be read until a moment:
/// `hw-prefix=/live/show/&hw-expires=1790000000&hw-key=ID&hw-signature=HEX`, in a query or as a cookie's value.
///
/// Signed are the first three parameters in this order, without percent-encoding.
package struct PrefixSignature: Equatable {
    /// A path without percent-encoding, as it was signed.
    var prefix: String
    /// Unix time in seconds, decimal digits, as it was signed.
    var expires: String
    var keyID: String
    /// HMAC-SHA256, 32 bytes.
    var code: [UInt8]

    package static let cookieName = "Headwater-Signature"
    /// The largest expiry that can be signed, in seconds since 1970; any moment the clock may show is below it.
    static let maximumExpiry = 999_999_999_999

    static let maximumTextLength = 8192

    enum Reading: Equatable {
        case absent, malformed
        case signature(PrefixSignature)
    }

    static func message(prefix: String, expires: String, keyID: String) -> String {
        "hw-prefix=\(prefix)&hw-expires=\(expires)&hw-key=\(keyID)"
    }

    var message: String { Self.message(prefix: prefix, expires: expires, keyID: keyID) }

    /// Reads a query; parameters of other names are not looked at, and the order does not matter.
    static func reading(query: Substring) -> Reading {
        guard query.utf8.count <= maximumTextLength else { return .malformed }
        var values: [Substring: Substring] = [:]
        for parameter in query.utf8.split(separator: UInt8(ascii: "&")) where parameter.starts(with: "hw-".utf8) {
            let name = Substring(parameter.prefix { $0 != UInt8(ascii: "=") })
            guard ["hw-prefix", "hw-expires", "hw-key", "hw-signature"].contains(name) else { continue }
            let value = Substring(parameter.dropFirst(name.utf8.count + 1))
            guard values.updateValue(value, forKey: name) == nil else { return .malformed }
        }
        guard !values.isEmpty else { return .absent }
        guard let prefix = values["hw-prefix"].flatMap(PercentEncoding.decoded),
            let expires = values["hw-expires"], (1...12).contains(expires.utf8.count),
            expires.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }),
            let keyID = values["hw-key"].flatMap(PercentEncoding.decoded),
            let code = values["hw-signature"].flatMap(PercentEncoding.bytes(hexadecimal:)), code.count == 32
        else { return .malformed }
        return .signature(PrefixSignature(prefix: prefix, expires: String(expires), keyID: keyID, code: code))
    }

    /// The values of our cookie in a Cookie field (`RFC 6265 §4.2`), as queries.
    static func queries(cookie field: String) -> [Substring] {
        field.utf8.split(separator: UInt8(ascii: ";")).compactMap { pair in
            var value = pair.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            guard value.starts(with: "\(cookieName)=".utf8) else { return nil }
            value = value.dropFirst(cookieName.utf8.count + 1)
            while let last = value.last, last == UInt8(ascii: " ") || last == UInt8(ascii: "\t") {
                value = value.dropLast()
            }
            if value.count >= 2, value.first == UInt8(ascii: "\""), value.last == UInt8(ascii: "\"") {
                value = value.dropFirst().dropLast()
            }
            // Web frameworks encode a cookie's value as a whole, `&` and `=` included.
            guard !value.contains(UInt8(ascii: "&")), value.count <= maximumTextLength else { return Substring(value) }
            return PercentEncoding.decoded(Substring(value)).map { Substring($0) } ?? Substring(value)
        }
    }
}
