import FoundationEssentials

/// Tokens and keys of an origin, in a folder of a test's own.
struct AccessFiles: Sendable {
    static let token = "everything-0123456789abcdef"
    static let showToken = "only-the-show-0123456789abcdef"
    static let keyID = "2026a"
    static let secret = "q8WvR5tYc1uKz0oNj3bSx6iPe9lEaD4H"

    let folder: String

    var tokens: String { "\(folder)/tokens" }
    var keys: String { "\(folder)/keys" }
    var flags: [String] { ["--publish-token-file", tokens, "--signing-key-file", keys] }

    init(in folder: String) throws {
        self.folder = folder
        try write("\(Self.token)\n\(Self.showToken) /live/show\n", to: tokens)
        try write("\(Self.keyID) \(Self.secret)\n", to: keys)
    }

    func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    static func bearer(_ token: String) -> String { "Authorization: Bearer \(token)" }

    /// With the password of Basic authentication.
    static func basic(_ token: String) -> String {
        "Authorization: Basic \(Data("user:\(token)".utf8).base64EncodedString())"
    }

    /// Flags of an origin that has a certificate of its own.
    static func certificate(in folder: String) async throws -> [String] {
        let (chain, key) = ("\(folder)/certificate.pem", "\(folder)/key.pem")
        _ = try await FFmpeg.run(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                "/CN=localhost", "-keyout", key, "-out", chain,
            ])
        return ["--tls-certificate", chain, "--tls-key", key]
    }

    /// A query that opens a path and what is below it for an hour, made as `docs/access.md` says.
    static func signature(for prefix: String, secret: String = secret) async throws -> String {
        let expires = Int(Date.now.timeIntervalSince1970) + 3_600
        let text = "hw-prefix=\(prefix)&hw-expires=\(expires)&hw-key=\(keyID)"
        let digest = try await FFmpeg.run(
            "bash",
            ["-c", #"printf %s "$1" | openssl dgst -sha256 -hmac "$2" -r | cut -d' ' -f1"#, "bash", text, secret])
        return "\(text)&hw-signature=\(digest.prefix(64))"
    }
}
