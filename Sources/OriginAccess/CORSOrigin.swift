/// An origin that may read, as browsers send it (`Fetch §3.2`, `RFC 6454 §6.2`), or with `*.` for any host below one.
enum CORSOrigin: Sendable, Equatable {
    case exact(String)
    /// `https://*.example.com:8443` is all that begins with `https://`, ends with `.example.com:8443` and has a host
    /// label or more between.
    case below(scheme: String, suffix: String)

    /// Nil for what no browser sends: capitals, a path, a port that is the scheme's own, `null`.
    init?(_ text: String) {
        let bytes = text.utf8
        guard bytes.count <= 255 else { return nil }
        let scheme = bytes.prefix { $0 != UInt8(ascii: ":") }
        let rest = bytes.dropFirst(scheme.count)
        guard Self.isScheme(scheme), rest.starts(with: "://".utf8) else { return nil }
        var authority = rest.dropFirst(3)
        let isWildcard = authority.starts(with: "*.".utf8)
        if isWildcard { authority = authority.dropFirst(2) }
        let bracket = authority.lastIndex(of: UInt8(ascii: "]")) ?? authority.startIndex
        if let colon = authority[bracket...].lastIndex(of: UInt8(ascii: ":")) {
            guard Self.isPort(authority[authority.index(after: colon)...], scheme: Substring(scheme)) else {
                return nil
            }
            authority = authority[..<colon]
        }
        guard Self.isHost(authority) || (!isWildcard && Self.isIPv6(authority)) else { return nil }
        guard isWildcard else {
            self = .exact(text)
            return
        }
        let prefix = Substring(scheme) + "://"
        self = .below(scheme: String(prefix), suffix: String(text.dropFirst(prefix.count + 1)))
    }

    func matches(_ origin: String) -> Bool {
        switch self {
        case .exact(let text): return origin.utf8.elementsEqual(text.utf8)
        case .below(let scheme, let suffix):
            let bytes = origin.utf8
            guard bytes.count > scheme.utf8.count + suffix.utf8.count, bytes.starts(with: scheme.utf8),
                bytes.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
            else { return false }
            return Self.isHost(bytes.dropFirst(scheme.utf8.count).dropLast(suffix.utf8.count))
        }
    }

    private static func isScheme(_ bytes: Substring.UTF8View) -> Bool {
        guard let first = bytes.first, isLowerCaseLetter(first) else { return false }
        return bytes.allSatisfy { isLowerCaseLetter($0) || isDigit($0) || "+-.".utf8.contains($0) }
    }

    /// Labels of lower-case letters, digits, `-` and `_`, with dots between.
    private static func isHost(_ bytes: Substring.UTF8View) -> Bool {
        bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            !label.isEmpty && label.allSatisfy { isLowerCaseLetter($0) || isDigit($0) || "-_".utf8.contains($0) }
        }
    }

    private static func isIPv6(_ bytes: Substring.UTF8View) -> Bool {
        bytes.count > 2 && bytes.first == UInt8(ascii: "[") && bytes.last == UInt8(ascii: "]")
            && bytes.dropFirst().dropLast().allSatisfy { isDigit($0) || ":abcdef".utf8.contains($0) }
    }

    private static func isPort(_ bytes: Substring.UTF8View, scheme: Substring) -> Bool {
        guard (1...5).contains(bytes.count), bytes.allSatisfy(isDigit), bytes.first != UInt8(ascii: "0"),
            let port = Int(Substring(bytes)), port <= 65_535
        else { return false }
        return port != ["http": 80, "https": 443][scheme]
    }

    private static func isLowerCaseLetter(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z")
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
}
