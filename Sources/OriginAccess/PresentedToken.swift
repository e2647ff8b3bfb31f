import FoundationEssentials

/// The token in an Authorization field: `Bearer TOKEN` (`RFC 6750 §2.1`), or the password of `Basic`
/// (`RFC 7617 §2`), whose user is not looked at.
struct PresentedToken {
    let bytes: [UInt8]

    static let maximumFieldLength = 8192

    /// Nil where the field is longer than ``maximumFieldLength`` bytes, of another scheme, or malformed.
    init?(authorization field: String) {
        guard field.utf8.count <= Self.maximumFieldLength else { return nil }
        let words = field.utf8.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        guard words.count == 2 else { return nil }
        switch Substring(words[0]).lowercased() {
        case "bearer": bytes = Array(words[1])
        case "basic":
            guard let credentials = Data(base64Encoded: Self.padded(words[1])),
                let colon = credentials.firstIndex(of: UInt8(ascii: ":"))
            else { return nil }
            bytes = Array(credentials[credentials.index(after: colon)...])
        default: return nil
        }
    }

    /// Base64 with the `=` that some senders leave out.
    private static func padded(_ base64: Substring.UTF8View) -> Data {
        Data(base64) + Data(repeating: UInt8(ascii: "="), count: (4 - base64.count % 4) % 4)
    }
}
