import Glibc

/// Why a destination's text or file was not understood, or the uploader could not be started.
package enum UploadError: Error, Equatable {
    /// Neither `http://`, `https://` nor `file:` stands in front.
    case unknownScheme(String)
    case missingHost
    case missingDirectory
    /// The part that no request can carry: a query, a fragment, a password in a place it cannot stand, a bad port.
    case malformedURL
    /// A file of an origin's access; `errno` says why.
    case unreadableFile(errno: Int32)
    /// The file's first line is no token.
    case malformedToken
    /// The file has nothing of this label, such as `CERTIFICATE`.
    case missingPEM(label: String)
    /// The system refused a descriptor, a thread or memory; `errno` where there is one.
    case unavailable(errno: Int32)
}

extension UploadError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unknownScheme(let scheme):
            "unknown destination '\(scheme)': expected http://HOST:PORT[/PREFIX], https://… or file:DIR"
        case .missingHost: "the destination names no host"
        case .missingDirectory: "the destination names no directory"
        case .malformedURL: "the destination is not a URL without query and fragment"
        case .unreadableFile(EINVAL): "it is not a regular file"
        case .unreadableFile(let errno): "it cannot be read: \(FileError(errno: errno).reason)"
        case .malformedToken:
            "its first line is not a token, which has letters, digits and - . _ ~ + / alone, and = at its end"
        case .missingPEM(let label): "it has no “-----BEGIN … \(label)-----” (PEM)"
        case .unavailable(let errno): "the uploader could not be started (errno \(errno))"
        }
    }
}
