/// What a request's signatures, taken together, say of its path.
package enum SignatureVerdict: Int, Sendable, Equatable {
    /// There is none.
    case missing
    /// It was not made by a key that is known, is for other paths, is malformed, or expires too far ahead.
    case invalid
    /// All is well but the time.
    case expired
    case valid
}

extension SigningKeys {
    /// How far ahead an expiry may lie, in seconds: ten years, so that milliseconds are not taken for seconds.
    static let maximumLifetime = 10 * 366 * 86_400
    /// How many of our cookies are looked at in one request.
    static let maximumCookies = 8

    /// The best that the query's and the cookies' signatures say of the normalised path at this Unix time, in seconds.
    ///
    /// A signature in the query does not hide one in a cookie: either may be the one that was renewed.
    /// - Parameter cookies: Whole Cookie fields.
    package func verdict(query: Substring?, cookies: [String], path: String, unixTime: Int) -> SignatureVerdict {
        var best = SignatureVerdict.missing
        let queries = [query ?? ""] + cookies.lazy.flatMap(PrefixSignature.queries).prefix(Self.maximumCookies)
        for query in queries where best != .valid {
            let verdict = self.verdict(PrefixSignature.reading(query: query), path: path, unixTime: unixTime)
            if verdict.rawValue > best.rawValue { best = verdict }
        }
        return best
    }

    private func verdict(_ reading: PrefixSignature.Reading, path: String, unixTime: Int) -> SignatureVerdict {
        guard reading != .absent else { return .missing }
        guard case .signature(let signature) = reading, let expires = Int(signature.expires),
            isAuthentic(signature), let prefix = PathPrefix(signature.prefix), prefix.covers(path)
        else { return .invalid }
        guard unixTime < expires else { return .expired }
        let (limit, overflows) = unixTime.addingReportingOverflow(Self.maximumLifetime)
        return overflows || expires <= limit ? .valid : .invalid
    }
}
