/// An object's place below a destination: names divided by single slashes, none of them `.` or `..`.
package struct ObjectPath: Hashable, Sendable {
    /// At least one; each has 1 to 255 bytes and no control character.
    package let names: [String]

    /// Reads `/APP/STREAM/NAME`, the first slash being optional; nil for anything that could lead elsewhere.
    package init?(_ text: String) {
        let path = text.hasPrefix("/") ? text.dropFirst() : text[...]
        guard path.utf8.count <= 2_048 else { return nil }
        let names = path.split(separator: "/", omittingEmptySubsequences: false)
        for name in names {
            guard (1...255).contains(name.utf8.count), name != ".", name != "..",
                name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\\") })
            else { return nil }
        }
        self.names = names.map(String.init)
    }

    /// With a slash in front, every byte that is not unreserved percent-encoded (`RFC 3986 §2.3`).
    package var percentEncoded: String {
        var result: [UInt8] = []
        for name in names {
            result.append(UInt8(ascii: "/"))
            for byte in name.utf8 {
                if Self.isUnreserved(byte) {
                    result.append(byte)
                } else {
                    result.append(UInt8(ascii: "%"))
                    result.append(Self.hexadecimal(byte >> 4))
                    result.append(Self.hexadecimal(byte & 0xF))
                }
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }

    private static func hexadecimal(_ digit: UInt8) -> UInt8 {
        digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10
    }
}
