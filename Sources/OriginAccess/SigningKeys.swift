import Crypto
import FoundationEssentials

/// The keys that sign read access to paths; never shown.
///
/// A file of them has lines `KEY-ID SECRET`. The first key signs, all verify: a new one is put on top, the old one is
/// taken off when the last signature it made has expired. The secret's characters are themselves the HMAC key.
package struct SigningKeys: Sendable {
    private var keys: [String: SymmetricKey] = [:]
    private var firstID = ""

    package static let minimumSecretLength = 32
    package static let maximumSecretLength = 1024
    package static let maximumIDLength = 64
    package static let maximumCount = 100

    /// Reads a file.
    /// - Throws: ``AccessFileError`` with the line at fault; also where there is no key at all.
    package init(parsing text: String) throws(AccessFileError) {
        for (number, words) in try AccessFileLines(text).lines {
            guard words.count == 2 else { throw AccessFileError(line: number, "expected KEY-ID SECRET") }
            let (id, secret) = (words[0], words[1])
            guard id.utf8.count <= Self.maximumIDLength, id.isAlphanumeric(or: "-._~") else {
                throw AccessFileError(
                    line: number, "a key's id has 1 to \(Self.maximumIDLength) letters, digits and - . _ ~")
            }
            guard secret.isVisibleASCII else {
                throw AccessFileError(line: number, "a secret is made of ASCII characters that print, without spaces")
            }
            guard secret.utf8.count >= Self.minimumSecretLength, secret.utf8.count <= Self.maximumSecretLength else {
                throw AccessFileError(
                    line: number,
                    "a secret has \(Self.minimumSecretLength) to \(Self.maximumSecretLength) characters, "
                        + "this has \(secret.utf8.count)")
            }
            guard keys.updateValue(SymmetricKey(data: Array(secret.utf8)), forKey: String(id)) == nil else {
                throw AccessFileError(line: number, "a key of this id stands above")
            }
            guard keys.count <= Self.maximumCount else {
                throw AccessFileError(line: number, "more than \(Self.maximumCount) keys")
            }
            if firstID.isEmpty { firstID = String(id) }
        }
        guard !keys.isEmpty else { throw AccessFileError("the file has no key") }
    }

    /// A query, or value of the cookie ``PrefixSignature/cookieName``, that opens the path prefix until a Unix time in
    /// seconds, by the first key or that of an id.
    /// - Parameter prefix: A path without percent-encoding, such as `/live/show/`.
    package func sign(prefix: String, expires: Int, keyID: String? = nil) throws(SigningError) -> String {
        let id = keyID ?? firstID
        guard let key = keys[id] else { throw .unknownKey }
        guard PathPrefix(prefix) != nil else { throw .notAPath }
        guard expires >= 0, expires <= PrefixSignature.maximumExpiry else { throw .expiryOutOfRange }
        let message = PrefixSignature.message(prefix: prefix, expires: String(expires), keyID: id)
        let code = HMAC<SHA256>.authenticationCode(for: Array(message.utf8), using: key)
        return PrefixSignature.message(
            prefix: PercentEncoding.encoded(prefix), expires: String(expires), keyID: PercentEncoding.encoded(id))
            + "&hw-signature=" + PercentEncoding.hexadecimal(code)
    }

    /// Whether the signature is one that a key here made over these very values.
    func isAuthentic(_ signature: PrefixSignature) -> Bool {
        guard let key = keys[signature.keyID] else { return false }
        return HMAC<SHA256>.isValidAuthenticationCode(
            signature.code, authenticating: Array(signature.message.utf8), using: key)
    }
}

/// Why nothing was signed.
package enum SigningError: Error, Equatable, CustomStringConvertible {
    case unknownKey, notAPath, expiryOutOfRange

    package var description: String {
        switch self {
        case .unknownKey: "there is no key of this id"
        case .notAPath: "the prefix must be a path of an object or folder, beginning with '/'"
        case .expiryOutOfRange: "the expiry must be a Unix time in seconds"
        }
    }
}

extension SigningKeys: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "\(keys.count) signing key\(keys.count == 1 ? "" : "s")" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
