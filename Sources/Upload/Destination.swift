/// Where objects are sent.
package enum Destination: Sendable, Hashable {
    /// An HTTP origin; objects are put below its prefix.
    case http(BaseURL, OriginAccess = OriginAccess())
    /// A local directory, made when it is first needed.
    case file(directory: String)

    /// Reads `http://HOST:PORT[/PREFIX]`, `https://…`, `file:DIR` or `file:///DIR`.
    ///
    /// Throws `unknownScheme`, `missingHost`, `missingDirectory` or `malformedURL`; no error repeats the text behind
    /// the scheme, which may hold a password.
    package init(parsing text: String) throws(UploadError) {
        guard let colon = text.firstIndex(of: ":") else { throw .unknownScheme("") }
        let scheme = text[..<colon].lowercased()
        let rest = text[text.index(after: colon)...]
        switch scheme {
        case "http", "https":
            guard rest.hasPrefix("//") else { throw .missingHost }
            self = .http(try BaseURL(parsing: text))
        case "file":
            var directory = rest
            if rest.hasPrefix("//") {
                directory = rest.dropFirst(2)
                guard directory.hasPrefix("/") else { throw .malformedURL }
            }
            while directory.count > 1, directory.hasSuffix("/") { directory.removeLast() }
            guard !directory.isEmpty, !directory.utf8.contains(0) else { throw .missingDirectory }
            self = .file(directory: String(directory))
        default:
            throw .unknownScheme(scheme.allSatisfy { $0.isLetter && $0.isASCII } ? String(scheme.prefix(16)) : "")
        }
    }
}

extension Destination: CustomStringConvertible {
    package var description: String {
        switch self {
        case .http(let base, _): base.description
        case .file(let directory): "file:\(directory)"
        }
    }
}
