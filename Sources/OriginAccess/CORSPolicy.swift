/// Which pages of other sites may read, and how they may ask (`Fetch §3.2`).
package struct CORSPolicy: Sendable, Equatable {
    /// Nil: any origin.
    var origins: [CORSOrigin]?
    /// Exact, since methods are case-sensitive; `*` stands for all.
    var methods = ["GET", "HEAD", "OPTIONS"]
    var headers = ["Range", "If-None-Match"] + Self.clientDataHeaders
    /// How long a browser may keep the answer to a preflight, in seconds.
    package var maxAgeSeconds = 86_400
    /// Whether pages may have the browser send its cookies, which a signature in a cookie needs: every response then
    /// carries `Access-Control-Allow-Credentials: true` beside the origin. Never together with any origin.
    package var allowsCredentials = false

    /// What players report of themselves (CTA-5004 §3.1).
    static let clientDataHeaders = ["CMCD-Object", "CMCD-Request", "CMCD-Session", "CMCD-Status"]

    /// The policy without a file: any origin may read.
    package init() {}

    /// The value of Access-Control-Allow-Origin, if it is to be sent, and whether responses need `Vary: Origin`.
    ///
    /// Where any origin may read the value is always `*`, so that caches keep one copy. Otherwise every response
    /// varies, also the one to a request that sent no Origin, or caches would give it to pages that may read.
    package func allowOrigin(for origin: String?) -> (value: String?, varies: Bool) {
        guard let origins else { return ("*", false) }
        guard let origin, origins.contains(where: { $0.matches(origin) }) else { return (nil, true) }
        return (origin, true)
    }

    /// The answer to a preflight (`Fetch §3.2.2`); nil where its origin or method is not allowed, or it names no
    /// method and so is none.
    /// - Parameter method: Access-Control-Request-Method.
    package func preflight(origin: String?, method: String?) -> Preflight? {
        guard let method, methods.contains(where: { $0 == "*" || $0.utf8.elementsEqual(method.utf8) }),
            let allowed = allowOrigin(for: origin).value
        else { return nil }
        return Preflight(
            allowOrigin: allowed, allowMethods: methods.joined(separator: ", "),
            allowHeaders: headers.joined(separator: ", "), maxAgeSeconds: maxAgeSeconds)
    }

    /// What an allowed preflight is told; nothing in it but the origin comes from the request, and that matched.
    package struct Preflight: Sendable, Equatable {
        package var allowOrigin: String
        package var allowMethods: String
        /// Empty where no header is allowed.
        package var allowHeaders: String
        package var maxAgeSeconds: Int

        package init(allowOrigin: String, allowMethods: String, allowHeaders: String, maxAgeSeconds: Int) {
            self.allowOrigin = allowOrigin
            self.allowMethods = allowMethods
            self.allowHeaders = allowHeaders
            self.maxAgeSeconds = maxAgeSeconds
        }
    }
}
