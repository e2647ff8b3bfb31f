/// What caches are told of every kind of response, by one header.
///
/// A value is a whole header. `{target}` and `{half-target}` stand for the playlist's target duration and half of it
/// in seconds, at least 1; the value `upstream` passes on what the uploader sent as Cache-Control, and `none` sends no
/// header.
package struct CachePolicy: Sendable, Equatable {
    /// The header a policy is for.
    package enum Header: String, Sendable {
        /// For every cache (`RFC 9111 §5.2`). Each class has a value by default.
        case cacheControl = "Cache-Control"
        /// For caches in front of origins alone, which heed it instead (`RFC 9213 §3`).
        case cdn = "CDN-Cache-Control"
        /// The same, as older caches know it (`Edge Architecture Specification 1.0`).
        case surrogate = "Surrogate-Control"
    }

    /// The kinds of response that are told apart, under the names `--cache` takes.
    package enum Class: String, CaseIterable, Sendable {
        case multivariant
        case playlist
        case segment
        case initialization = "init"
        case notFound = "not-found"
        case error
    }

    /// Statuses that speak of who asks, how, or when: kept for all who ask the same, they would refuse those who are
    /// right. What is set for errors is not for them; each has to be set by itself.
    private static let unshared: Set<UInt> = [401, 403, 412, 416, 429, 431, 503, 507]

    package let header: Header
    private var classes: [Class: String]
    private var statuses: [UInt: String] = [:]

    package init(_ header: Header = .cacheControl) {
        self.header = header
        classes =
            header != .cacheControl
            ? [:]
            : [
                .multivariant: "public, max-age=1",
                .playlist: "public, max-age={half-target}, stale-if-error={target}",
                .segment: "public, max-age=31536000, immutable",
                .initialization: "public, max-age=31536000, immutable",
                .notFound: "no-store",
                .error: "no-store",
            ]
    }

    /// What is set, as `CLASS=VALUE`, in the order of ``Class`` and then of the statuses.
    package var descriptions: [String] {
        Class.allCases.compactMap { kind in classes[kind].map { "\(kind.rawValue)=\($0)" } }
            + statuses.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    }

    /// Takes one `CLASS=VALUE`, where the class may be a status from 400 to 599. For the headers that are sent only where
    /// they are set, an empty value takes back what was set.
    /// - Throws: ``CachePolicyError`` that says what is accepted.
    package mutating func set(_ text: String) throws(CachePolicyError) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let named = Class(rawValue: String(parts[0]))
        let status = parts[0].utf8.count == 3 ? UInt(parts[0]).flatMap { (400...599).contains($0) ? $0 : nil } : nil
        guard parts.count == 2, named != nil || status != nil else {
            let classes = Class.allCases.map(\.rawValue).joined(separator: ", ")
            throw CachePolicyError(
                reason: "'\(text)' is not CLASS=VALUE with CLASS one of \(classes), or a status from 400 to 599")
        }
        let value = String(parts[1])
        if !value.isEmpty || header == .cacheControl {
            try check(value, of: String(parts[0]), isError: status != nil || named == .notFound || named == .error)
        }
        let kept = value.isEmpty ? nil : value
        if let named { classes[named] = kept } else if let status { statuses[status] = kept }
    }

    private func check(_ value: String, of name: String, isError: Bool) throws(CachePolicyError) {
        guard !value.isEmpty, Self.isFieldValue(value) else {
            throw CachePolicyError(
                reason:
                    "the value of '\(name)' must be a \(header.rawValue) header, such as 'public, max-age=1', or none")
        }
        let plain = Self.replacing(Self.replacing(value, "{half-target}", 1), "{target}", 1)
        guard !plain.contains("{"), !plain.contains("}") else {
            throw CachePolicyError(
                reason: "the value of '\(name)' may name {target} and {half-target}, nothing else in braces")
        }
        guard value != "upstream" || !isError else {
            throw CachePolicyError(reason: "there is no upstream value for '\(name)'")
        }
        guard header != .cdn || Self.isDictionary(plain) else {
            throw CachePolicyError(
                reason: """
                    the value of '\(name)' must be like 'max-age=60, must-revalidate', in lower case: caches ignore a \
                    \(header.rawValue) header in which anything else stands
                    """)
        }
    }

    /// The header's value for a response of this class and status; nil where there is to be no such header.
    ///
    /// A response in error has a value for errors, whatever its class.
    /// - Parameters:
    ///   - targetDuration: the playlist's, in seconds.
    ///   - upstream: the uploader's Cache-Control.
    package func value(
        for class: Class, status: UInt = 200, targetDuration: Int? = nil, upstream: String? = nil
    ) -> String? {
        guard let value = template(`class`, status), value != "none" else { return nil }
        if value == "upstream" { return upstream.flatMap { Self.isFieldValue($0) ? $0 : nil } }
        guard value.contains("{") else { return value }
        let target = targetDuration ?? 1
        return Self.replacing(
            Self.replacing(value, "{half-target}", max(1, target / 2)), "{target}", max(1, target))
    }

    private func template(_ class: Class, _ status: UInt) -> String? {
        let status = status < 400 && `class` == .notFound ? 404 : status
        guard status >= 400 || `class` == .error else { return classes[`class`] }
        if let value = statuses[status] { return value }
        if Self.unshared.contains(status) { return header == .cacheControl ? "no-store" : nil }
        return classes[status == 404 ? .notFound : .error]
    }

    private static func replacing(_ text: String, _ name: String, _ seconds: Int) -> String {
        text.split(separator: name, omittingEmptySubsequences: false).joined(separator: String(seconds))
    }

    private static func isFieldValue(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
    }

    /// Whether a text is such a Dictionary (`RFC 9651 §3.2`) as cache directives make: keys, and some with a number or a
    /// token.
    private static func isDictionary(_ text: String) -> Bool {
        let lower = UInt8(ascii: "a")...UInt8(ascii: "z")
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        return text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).allSatisfy { member in
            let space = UInt8(ascii: " ")
            let trimmed = member.drop { $0 == space }.reversed().drop { $0 == space }.reversed()
            let parts = trimmed.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let key = parts.first, let initial = key.first, lower.contains(initial),
                key.allSatisfy({ lower.contains($0) || digits.contains($0) || "_-.*".utf8.contains($0) })
            else { return false }
            guard parts.count == 2 else { return true }
            let isNumber = (1...15).contains(parts[1].count) && parts[1].allSatisfy(digits.contains)
            let isToken = parts[1].first.map { lower.contains($0 | 0x20) } ?? false
            return isNumber
                || isToken
                    && parts[1].allSatisfy {
                        lower.contains($0 | 0x20) || digits.contains($0) || $0 == UInt8(ascii: "-")
                    }
        }
    }
}

/// What is sent to caches with every response: one policy a header.
package struct CachePolicies: Sendable, Equatable {
    package var cacheControl = CachePolicy(.cacheControl)
    package var cdn = CachePolicy(.cdn)
    package var surrogate = CachePolicy(.surrogate)

    package init() {}

    /// The header fields for a response of this class and status.
    /// - Parameters:
    ///   - targetDuration: the playlist's, in seconds.
    ///   - upstream: the uploader's Cache-Control.
    package func fields(
        for class: CachePolicy.Class, status: UInt = 200, targetDuration: Int? = nil, upstream: String? = nil
    ) -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        func add(_ policy: CachePolicy) {
            guard
                let value = policy.value(
                    for: `class`, status: status, targetDuration: targetDuration, upstream: upstream)
            else { return }
            fields.append((policy.header.rawValue, value))
        }
        add(cacheControl)
        add(cdn)
        add(surrogate)
        return fields
    }
}

/// Why a cache policy's value is not taken.
package struct CachePolicyError: Error, Equatable {
    package let reason: String
}
