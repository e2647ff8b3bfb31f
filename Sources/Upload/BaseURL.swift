import CCurl

/// The URL below which an origin takes objects; its description and its mirror leave user and password out.
@safe
package struct BaseURL: Sendable, Hashable {
    /// Without a slash at its end; with user and password where they were given.
    let text: String
    package let description: String
    /// Whether the text has a user, who then tells the origin who sends.
    let hasUser: Bool

    /// Throws `missingHost` or `malformedURL`.
    package init(parsing text: String) throws(UploadError) {
        guard let url = unsafe curl_url() else { throw .unavailable(errno: 0) }
        defer { unsafe curl_url_cleanup(url) }
        let code = unsafe curl_url_set(url, CURLUPART_URL, text, UInt32(CURLU_PATH_AS_IS))
        if code == CURLUE_NO_HOST { throw .missingHost }
        guard code == CURLUE_OK else { throw .malformedURL }
        guard unsafe Self.part(CURLUPART_QUERY, of: url) == nil, unsafe Self.part(CURLUPART_FRAGMENT, of: url) == nil
        else { throw .malformedURL }
        self.text = try unsafe Self.whole(url)
        hasUser = unsafe Self.part(CURLUPART_USER, of: url) != nil
        guard unsafe curl_url_set(url, CURLUPART_USER, nil, 0) == CURLUE_OK,
            unsafe curl_url_set(url, CURLUPART_PASSWORD, nil, 0) == CURLUE_OK
        else { throw .malformedURL }
        description = try unsafe Self.whole(url)
    }

    private static func whole(_ url: OpaquePointer) throws(UploadError) -> String {
        guard var text = unsafe part(CURLUPART_URL, of: url) else { throw .malformedURL }
        while text.hasSuffix("/") { text.removeLast() }
        return text
    }

    private static func part(_ part: CURLUPart, of url: OpaquePointer) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard unsafe curl_url_get(url, part, &text, 0) == CURLUE_OK, let text = unsafe text else { return nil }
        defer { unsafe curl_free(text) }
        return unsafe String(cString: text)
    }
}

extension BaseURL: CustomStringConvertible, CustomReflectable {
    package var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}
