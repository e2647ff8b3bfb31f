/// The tokens that may write, each everywhere or below certain paths; of a token only its digest is kept.
///
/// A file of them has lines `TOKEN [PATH-PREFIX…]`. A token is what `Authorization: Bearer` can carry
/// (`RFC 6750 §2.1`); a prefix is written as in a URL, and covers itself and everything below it.
package struct PublishTokens: Sendable {
    private struct Entry {
        var digest: TokenDigest
        /// Empty: everything.
        var prefixes: [PathPrefix]
    }

    private var entries: [Entry] = []

    package static let minimumTokenLength = 16
    package static let maximumTokenLength = 1024
    package static let maximumCount = 4096
    package static let maximumPrefixes = 256

    /// Reads a file.
    /// - Throws: ``AccessFileError`` with the line at fault; also where there is no token at all, since a file that is
    ///   just being written would lock every publisher out.
    package init(parsing text: String) throws(AccessFileError) {
        var lineOfDigest: [TokenDigest: Int] = [:]
        for (number, words) in try AccessFileLines(text).lines {
            guard let token = words.first else { continue }
            try Self.check(token, line: number)
            let digest = TokenDigest(token.utf8)
            if let first = lineOfDigest.updateValue(number, forKey: digest) {
                throw AccessFileError(line: number, "the token of line \(first) again: write all its prefixes there")
            }
            guard entries.count < Self.maximumCount else {
                throw AccessFileError(line: number, "more than \(Self.maximumCount) tokens")
            }
            entries.append(Entry(digest: digest, prefixes: try Self.prefixes(words.dropFirst(), line: number)))
        }
        guard !entries.isEmpty else { throw AccessFileError("the file has no token") }
    }

    private static func check(_ token: Substring, line: Int) throws(AccessFileError) {
        guard token.utf8.first != UInt8(ascii: "/") else {
            throw AccessFileError(line: line, "the token comes first, then its path prefixes; it cannot begin with '/'")
        }
        let padding = token.utf8.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        guard padding < token.utf8.count, token.dropLast(padding).isAlphanumeric(or: "-._~+/") else {
            throw AccessFileError(
                line: line, "a token is made of letters, digits and - . _ ~ + / with = at its end alone")
        }
        guard token.utf8.count >= minimumTokenLength, token.utf8.count <= maximumTokenLength else {
            throw AccessFileError(
                line: line,
                "a token has \(minimumTokenLength) to \(maximumTokenLength) characters, "
                    + "this has \(token.utf8.count)")
        }
    }

    private static func prefixes(_ words: some Collection<Substring>, line: Int) throws(AccessFileError) -> [PathPrefix]
    {
        guard words.count <= maximumPrefixes else {
            throw AccessFileError(line: line, "more than \(maximumPrefixes) path prefixes")
        }
        var prefixes: [PathPrefix] = []
        // What stands there may be a token in the wrong place: it is not repeated in the message.
        for (index, word) in words.enumerated() {
            guard word.utf8.first == UInt8(ascii: "/") else {
                throw AccessFileError(line: line, "path prefix \(index + 1) does not begin with '/'")
            }
            guard !word.utf8.contains(UInt8(ascii: "*")) else {
                throw AccessFileError(
                    line: line, "path prefix \(index + 1) has a '*': a prefix covers all below it without one")
            }
            guard word.isVisibleASCII, let path = PercentEncoding.decoded(word), let prefix = PathPrefix(path) else {
                throw AccessFileError(
                    line: line,
                    "path prefix \(index + 1) is no path: no '.' or '..', no backslash or control "
                        + "character, other characters percent-encoded, at most \(PathPrefix.maximumLength) bytes")
            }
            prefixes.append(prefix)
        }
        return prefixes
    }

    /// Whether a request with this Authorization field may write the object of this normalised path.
    ///
    /// Takes the same time whichever token matches, or none.
    package func admission(authorization: String?, path: String) -> PublishAdmission {
        guard let token = authorization.flatMap(PresentedToken.init) else { return .unauthorized }
        let digest = TokenDigest(token.bytes)
        var found: UInt64 = 0
        for index in entries.indices {
            found |= UInt64(index + 1) & entries[index].digest.equalityMask(digest)
        }
        guard found > 0 else { return .unauthorized }
        let prefixes = entries[Int(found) - 1].prefixes
        return prefixes.isEmpty || prefixes.contains { $0.covers(path) } ? .granted : .forbidden
    }

    /// The WWW-Authenticate fields of a 401, each a field of its own: ffmpeg sends what its URL holds when it is asked
    /// for Basic, and does not find that behind another scheme in one field.
    package static let challenges = [#"Bearer realm="headwater""#, #"Basic realm="headwater", charset="UTF-8""#]
}

/// What is said to a request that would write.
package enum PublishAdmission: Sendable, Equatable {
    case granted
    /// No token, or none that is known: 401.
    case unauthorized
    /// The token's prefixes do not cover the path: 403.
    case forbidden
}

extension PublishTokens: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "\(entries.count) publish token\(entries.count == 1 ? "" : "s")" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
