import CoreMetrics
import Logging
import NIOCore
import NIOHTTP1
import OriginAccess
import OriginStore

/// Heads, and answers that are whole when they begin.
extension Exchange {
    /// Begins with what every response carries: Date, Server, and the fields of CORS and Resource Timing.
    func head(_ status: HTTPResponseStatus) -> ResponseHead {
        origin.metrics.count(route, status: status.code)
        var head = ResponseHead(status, unixTime: origin.unixTime)
        let cors = origin.access.cors
        let (allowed, varies) = cors.allowOrigin(for: request.headers.first(name: "Origin"))
        if let allowed { head.add("Access-Control-Allow-Origin", allowed) }
        if allowed != nil, cors.allowsCredentials { head.add("Access-Control-Allow-Credentials", "true") }
        if varies { head.addVary("Origin") }
        if isHeld {
            head.add("Headwater-Held", Self.seconds((.now() - began).nanoseconds))
        }
        return head
    }

    private static func seconds(_ nanoseconds: Int64) -> String {
        let milliseconds = max(0, nanoseconds / 1_000_000)
        let fraction = String(milliseconds % 1_000)
        return "\(milliseconds / 1_000).\(String(repeating: "0", count: 3 - fraction.utf8.count))\(fraction)"
    }

    func addCacheFields(
        to head: inout ResponseHead, _ class: CachePolicy.Class, targetDuration: Int? = nil, upstream: String? = nil
    ) {
        let fields = origin.configuration.cache.fields(
            for: `class`, status: head.status.code, targetDuration: targetDuration, upstream: upstream)
        for (name, value) in fields { head.add(name, value) }
    }

    /// A whole short response, and the exchange's end.
    func answer(
        _ status: HTTPResponseStatus, text: String = "", cache: CachePolicy.Class? = nil, retryAfter: Int? = nil
    ) {
        var head = head(status)
        if let cache { addCacheFields(to: &head, cache) }
        if let retryAfter { head.add("Retry-After", "\(retryAfter)") }
        if status == .methodNotAllowed { head.add("Allow", listener.allowedMethods) }
        if status == .unsupportedMediaType { head.add("Accept-Encoding", "identity") }
        if status == .unauthorized {
            for challenge in PublishTokens.challenges { head.add("WWW-Authenticate", challenge) }
        }
        if status != .noContent { head.add("Content-Length", "\(text.utf8.count)") }
        if !text.isEmpty { head.add("Content-Type", "text/plain; charset=utf-8") }
        if text.isEmpty || isHead {
            wire.start(head, .none)
        } else {
            wire.start(head, .length)
            phase = .sending([BodyPart(ByteBuffer(string: text))])
            return resume()
        }
        end()
    }

    /// Says that a request is in error; one error too many from an address is answered with less work.
    func answerError(_ status: HTTPResponseStatus, text: String) {
        guard let peer, !origin.addresses(of: listener).erred(peer, now: .now()) else {
            return answer(status, text: text, cache: status == .notFound ? .notFound : .error)
        }
        origin.metrics.count(.errors)
        answer(.tooManyRequests, text: "too many requests in error from this address\n", cache: .error, retryAfter: 1)
    }

    /// Refuses a request. What follows on the connection may be the body of what was refused, or as wrong as it was: the
    /// connection takes no more, unless all that is wrong is what was asked for.
    func refuse(_ status: HTTPResponseStatus, _ refusal: OriginMetrics.Refusal, reason: String) {
        origin.metrics.count(refusal)
        origin.logSparingly(
            "request refused",
            [
                "request": "\(request.method) \(key?.path ?? "?")", "status": "\(status.code)",
                "rule": "\(refusal.rawValue)", "reason": "\(reason)", "peer": "\(peer?.description ?? "unknown")",
            ])
        let isHarmless = [.GET, .HEAD, .OPTIONS].contains(request.method) && [401, 403, 412].contains(status.code)
        if !isHarmless { wire.closeAfterResponse() }
        switch status.code {
        case 400..<406, 414: answerError(status, text: reason + "\n")
        case 503, 507: answer(status, text: reason + "\n", cache: .error, retryAfter: 1)
        default: answer(status, text: reason + "\n", cache: .error)
        }
    }

    /// A CORS preflight, or a plain question for the methods (`Fetch §3.2.2`).
    func answerOptions() {
        route = .preflight
        var head = head(.noContent)
        head.add("Allow", listener.allowedMethods)
        let asked = request.headers.first(name: "Access-Control-Request-Method")
        if let fields = origin.access.cors.preflight(origin: request.headers.first(name: "Origin"), method: asked) {
            head.add("Access-Control-Allow-Methods", fields.allowMethods)
            if !fields.allowHeaders.isEmpty { head.add("Access-Control-Allow-Headers", fields.allowHeaders) }
            head.add("Access-Control-Max-Age", "\(fields.maxAgeSeconds)")
        }
        wire.start(head, .none)
        end()
    }
}
