/// An origin with all that its requests need.
struct HTTPOrigin: Sendable {
    let base: BaseURL
    let access: OriginAccess
    let credential: OriginCredential

    /// A user in the URL is meant for this origin alone, and goes before the token.
    init(base: BaseURL, access: OriginAccess, token: BearerToken?) {
        self.base = base
        self.access = access
        credential = base.hasUser ? .user : token.map(OriginCredential.token) ?? .none
    }
}

/// By what an origin knows who sends, apart from a client certificate.
enum OriginCredential: Sendable {
    case none
    /// Of the URL, as Basic authentication.
    case user
    case token(BearerToken)

    var token: BearerToken? {
        if case .token(let token) = self { token } else { nil }
    }

    /// What an operator can do about an answer of 401 or 403.
    func advice(status: Int) -> String {
        switch (self, status) {
        case (.token, 403):
            "let the token write this path at the origin, or put another in origin-token-file and send SIGHUP"
        case (.token, _): "put a token that the origin knows in origin-token-file and send SIGHUP"
        case (.user, 403): "let the user of the origin's URL write this path at the origin"
        case (.user, _): "give the origin's URL a user and a password that the origin knows"
        case (.none, 403): "let this host write this path at the origin, or give it a token by origin-token-file"
        case (.none, _): "give this ingest a token that the origin knows by origin-token-file"
        }
    }
}
