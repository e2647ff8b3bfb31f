import NIOHTTP1

/// What the admin endpoint answers; the only place that chooses its statuses.
struct AdminResponse: Equatable {
    var status: HTTPResponseStatus
    var contentType = "text/plain; charset=utf-8"
    var body: String

    /// Answers by method and path; a query is ignored.
    init(method: HTTPMethod, uri: String, metrics: MetricsRegistry, readiness: Readiness) {
        let path = uri.prefix { $0 != "?" }
        let isKnown = ["/metrics", "/healthz", "/readyz"].contains(path)
        switch path {
        case _ where isKnown && method != .GET && method != .HEAD:
            self.init(status: .methodNotAllowed, body: "GET and HEAD alone\n")
        case "/metrics":
            self.init(status: .ok, contentType: ExpositionText.contentType, body: metrics.exposition())
        case "/healthz":
            self.init(status: .ok, body: "ok\n")
        case "/readyz" where readiness.isReady:
            self.init(status: .ok, body: "ready\n")
        case "/readyz":
            self.init(status: .serviceUnavailable, body: "not ready\n")
        default:
            self.init(status: .notFound, body: "there are /metrics, /healthz and /readyz\n")
        }
    }

    init(status: HTTPResponseStatus, contentType: String = "text/plain; charset=utf-8", body: String) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    func head(version: HTTPVersion) -> HTTPResponseHead {
        var headers: HTTPHeaders = [
            "content-type": contentType, "content-length": "\(body.utf8.count)", "cache-control": "no-store",
            "connection": "close",
        ]
        if status == .methodNotAllowed { headers.add(name: "allow", value: "GET, HEAD") }
        return HTTPResponseHead(version: version, status: status, headers: headers)
    }
}
