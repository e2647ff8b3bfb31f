/// Why a destination's text was not understood or the uploader could not be started.
package enum UploadError: Error, Equatable {
    /// Neither `http://`, `https://` nor `file:` stands in front.
    case unknownScheme(String)
    case missingHost
    case missingDirectory
    /// The part that no request can carry: a query, a fragment, a password in a place it cannot stand, a bad port.
    case malformedURL
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
        case .unavailable(let errno): "the uploader could not be started (errno \(errno))"
        }
    }
}
