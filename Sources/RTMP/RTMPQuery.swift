/// The part of an app or a stream name behind its first `?`: it may hold a token, so it never shows itself.
package struct RTMPQuery: Hashable, Sendable {
    /// As the encoder sent it, without the `?`; empty if there was none. Not for logs.
    package let rawValue: String

    package init(_ rawValue: String = "") {
        self.rawValue = rawValue
    }

    /// The value of the first `name=value`, as sent: percent escapes are not resolved.
    package subscript(name: String) -> String? {
        for pair in rawValue.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2, parts[0] == name { return String(parts[1]) }
        }
        return nil
    }

    /// Divides an app, a stream name or a URL at its first `?`.
    static func split(_ text: String) -> (path: String, query: RTMPQuery) {
        guard let mark = text.firstIndex(of: "?") else { return (text, RTMPQuery()) }
        return (String(text[..<mark]), RTMPQuery(String(text[text.index(after: mark)...])))
    }
}

extension RTMPQuery: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { rawValue.isEmpty ? "none" : "hidden" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
