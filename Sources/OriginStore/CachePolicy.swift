/// The Cache-Control header of every kind of response.
///
/// A value is a whole header. `{target}` and `{half-target}` stand for the playlist's target duration and half of it
/// in seconds, at least 1; the value `upstream` passes on what the uploader sent.
package struct CachePolicy: Sendable, Equatable {
    /// The kinds of response that are told apart, under the names `--cache` takes.
    package enum Class: String, CaseIterable, Sendable {
        case multivariant
        case playlist
        case segment
        case initialization = "init"
        case notFound = "not-found"
        case error
    }

    private var values: [Class: String] = [
        .multivariant: "public, max-age=1",
        .playlist: "public, max-age={half-target}, stale-if-error={target}",
        .segment: "public, max-age=31536000, immutable",
        .initialization: "public, max-age=31536000, immutable",
        .notFound: "no-store",
        .error: "no-store",
    ]

    package init() {}

    package subscript(class: Class) -> String {
        get { values[`class`] ?? "no-store" }
        set { values[`class`] = newValue }
    }

    /// Every class as `CLASS=VALUE`, in the order of ``Class``.
    package var descriptions: [String] {
        Class.allCases.map { "\($0.rawValue)=\(self[$0])" }
    }

    /// Takes one `CLASS=VALUE`.
    /// - Throws: ``CachePolicyError`` that says what is accepted.
    package mutating func set(_ text: String) throws(CachePolicyError) {
        guard let equals = text.firstIndex(of: "="), let named = Class(rawValue: String(text[..<equals])) else {
            let classes = Class.allCases.map(\.rawValue).joined(separator: ", ")
            throw CachePolicyError(reason: "'\(text)' is not CLASS=VALUE with CLASS one of \(classes)")
        }
        let value = text[text.index(after: equals)...]
        guard !value.isEmpty, value.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
            throw CachePolicyError(
                reason: "the value of '\(named.rawValue)' must be a Cache-Control header, such as 'public, max-age=1'")
        }
        let rest = Self.replacing(Self.replacing(String(value), "{half-target}", 1), "{target}", 1)
        guard !rest.contains("{"), !rest.contains("}") else {
            throw CachePolicyError(
                reason: "the value of '\(named.rawValue)' may name {target} and {half-target}, nothing else in braces")
        }
        guard value != "upstream" || (named != .notFound && named != .error) else {
            throw CachePolicyError(reason: "there is no upstream value for '\(named.rawValue)'")
        }
        self[named] = String(value)
    }

    /// The header for a response of this class.
    package func header(for class: Class, targetDuration: Int? = nil, upstream: String? = nil) -> String? {
        let value = self[`class`]
        if value == "upstream" { return upstream }
        guard value.contains("{") else { return value }
        let target = targetDuration ?? 1
        return Self.replacing(
            Self.replacing(value, "{half-target}", max(1, target / 2)), "{target}", max(1, target))
    }

    private static func replacing(_ text: String, _ name: String, _ seconds: Int) -> String {
        text.split(separator: name, omittingEmptySubsequences: false).joined(separator: String(seconds))
    }
}

/// Why a `--cache` value is not taken.
package struct CachePolicyError: Error, Equatable {
    package let reason: String
}
