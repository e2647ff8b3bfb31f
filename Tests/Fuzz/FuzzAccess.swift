import OriginAccess

private let token = "fuzz-token-0123456789"
private let secret = "fuzz-secret-0123456789-0123456789"

/// Shows an Authorization field, and demands that nobody is let in without the token, or beyond its path.
package func fuzzAuthorization(_ bytes: UnsafeRawBufferPointer) {
    let field = unsafe String(decoding: bytes, as: UTF8.self)
    guard let tokens = try? PublishTokens(parsing: "\(token) /live/show") else { preconditionFailure("no tokens") }
    for text in [field, "Bearer \(field)", "Basic \(field)"] {
        let within = tokens.admission(authorization: text, path: "/live/show/a.ts")
        let beyond = tokens.admission(authorization: text, path: "/live/showcase/a.ts")
        precondition(within != .forbidden && beyond != .granted)
        precondition((within == .granted) == (beyond == .forbidden), "the path decides whether the token is known")
        let isBasic = text.lowercased().contains("basic")
        let hasToken = text.utf8.firstRange(of: token.utf8) != nil
        precondition(within == .unauthorized || isBasic || hasToken, "let in without the token")
    }
    precondition(tokens.admission(authorization: "Bearer \(token)", path: "/live/show/a.ts") == .granted)
}

/// Reads a file of tokens, and demands that its first token, shown, is known.
package func fuzzTokenFile(_ bytes: UnsafeRawBufferPointer) {
    let text = unsafe String(decoding: bytes, as: UTF8.self)
    guard let tokens = try? PublishTokens(parsing: text) else { return }
    let words = text.utf8.drop { !($0 > 0x20 && $0 < 0x7F) }.prefix { $0 > 0x20 && $0 < 0x7F }
    guard words.first != UInt8(ascii: "#") else { return }
    let admission = tokens.admission(authorization: "Bearer \(Substring(words))", path: "/live/show/a.ts")
    precondition(admission != .unauthorized, "a token of the file is not known")
}

/// Puts bytes for, before and behind a signature, in the query and in a cookie, and demands that no path opens that was
/// not signed for.
package func fuzzSignature(_ bytes: UnsafeRawBufferPointer) {
    let text = unsafe String(decoding: bytes, as: UTF8.self)
    guard let keys = try? SigningKeys(parsing: "k \(secret)"),
        let signed = try? keys.sign(prefix: "/live/show/", expires: 2_000)
    else { preconditionFailure("nothing signed") }
    func verdict(_ query: String, _ cookie: String, _ path: String) -> SignatureVerdict {
        keys.verdict(query: Substring(query), cookies: [cookie], path: path, unixTime: 1_000)
    }
    let cookie = "Headwater-Signature="
    for (query, field) in [
        (signed + text, ""), (text + signed, ""), ("\(signed)&\(text)", text), (text, "\(text); \(cookie)\(signed)"),
        (text, cookie + signed + text), (text, "\(cookie)\(text)\(signed)"),
    ] {
        precondition(verdict(query, field, "/live/other/a.ts") != .valid, "a signature opens another path")
    }
    precondition(verdict("", cookie + signed, "/live/show/a.ts") == .valid)
}

/// Reads a file of CORS rules, or an Origin, and demands that what is answered can stand in a response's head and that
/// no page may read that is not named.
package func fuzzCORS(_ bytes: UnsafeRawBufferPointer) {
    let text = unsafe String(decoding: bytes, as: UTF8.self)
    if let policy = try? CORSPolicy(parsing: text) {
        for origin in [nil, "https://example.com", "null", text] {
            guard let answer = policy.preflight(origin: origin, method: "GET") else { continue }
            precondition(answer.allowOrigin == "*" || answer.allowOrigin == origin)
            let isField = (answer.allowMethods + answer.allowHeaders).utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
            precondition(isField && (0...CORSPolicy.maximumMaxAgeSeconds).contains(answer.maxAgeSeconds))
            precondition(!policy.allowsCredentials || answer.allowOrigin != "*")
        }
    }
    let rules = #"{"AllowedOrigins": ["https://*.example.com", "http://localhost:8080"]}"#
    guard let policy = try? CORSPolicy(parsing: rules) else { preconditionFailure("no rules") }
    if let allowed = policy.allowOrigin(for: text).value {
        precondition(allowed.utf8.elementsEqual(text.utf8))
        precondition(allowed.hasSuffix(".example.com") || allowed == "http://localhost:8080")
        precondition(allowed.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
    }
}
