/// How an origin learns who sends to it, and how its own certificate is verified; nil for what is not used.
///
/// All are names of files. The token's is read when the uploader is made and by `reloadTokens`; libcurl reads the
/// others, in PEM, for each new connection.
package struct OriginAccess: Sendable, Hashable {
    /// Its first line is the token that goes with each request.
    package var tokenFile: String?
    /// The authorities of whom one must have signed the origin's certificate, in place of the system's.
    package var authorityFile: String?
    /// The certificate that is shown to the origin, with those between it and its authority.
    package var certificateFile: String?
    /// The private key of that certificate; nil where it stands in the certificate's file.
    package var keyFile: String?

    package init() {}
}

extension OriginAccess {
    /// Reads a token's file and forgets it. Throws `unreadableFile` or `malformedToken`.
    package static func verify(tokenFile path: String) throws(UploadError) {
        _ = try BearerToken(path: path)
    }

    /// Throws `unreadableFile`, or `missingPEM` where a file has no certificate.
    package static func verify(certificateFile path: String) throws(UploadError) {
        try verify(path, has: "CERTIFICATE")
    }

    /// Throws `unreadableFile`, or `missingPEM` where a file has no private key.
    package static func verify(keyFile path: String) throws(UploadError) {
        try verify(path, has: "PRIVATE KEY")
    }

    /// A bundle of a system's authorities has some 200 kB.
    private static let limitBytes = 4 << 20

    /// Looks for a line such as `-----BEGIN CERTIFICATE-----` (`RFC 7468 §2`).
    private static func verify(_ path: String, has label: String) throws(UploadError) {
        let text = String(decoding: try SmallFile(path, limitBytes: limitBytes).bytes, as: UTF8.self)
        let isThere = text.split(whereSeparator: \.isNewline).contains { line in
            line.hasPrefix("-----BEGIN ") && line.contains("\(label)-----")
        }
        guard isThere else { throw .missingPEM(label: label) }
    }
}
