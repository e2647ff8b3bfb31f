import CoreMetrics
import Logging
import NIOCore
import NIOHTTP1
import OriginStore

extension ConnectionHandler {
    func head(_ status: HTTPResponseStatus) -> ResponseHead {
        origin.metrics.count(status: status.code)
        var head = ResponseHead(status, unixTime: origin.unixTime, allocator: ByteBufferAllocator())
        if !keepsAlive { head.add("Connection", "close") }
        return head
    }

    func write(_ bytes: ByteBuffer) {
        guard let context else { return }
        let written = context.eventLoop.makePromise(of: Void.self)
        queuedWrites += 1
        written.futureResult.assumeIsolated().whenComplete { [weak self] _ in self?.queuedWrites -= 1 }
        context.write(wrapOutboundOut(bytes), promise: written)
    }

    func flush() {
        context?.flush()
    }

    /// A whole short response to the current request, and the exchange's end.
    func answer(_ status: HTTPResponseStatus, text: String = "", cache: CachePolicy.Class? = nil) {
        var head = head(status)
        if let value = cache.flatMap({ origin.configuration.cache.header(for: $0) }) {
            head.add("Cache-Control", value)
        }
        if status == .methodNotAllowed { head.add("Allow", allowedMethods) }
        if status != .noContent { head.add("Content-Length", "\(text.utf8.count)") }
        if !text.isEmpty { head.add("Content-Type", "text/plain; charset=utf-8") }
        write(head.finished())
        if !text.isEmpty, !isHead { write(ByteBuffer(string: text)) }
        endExchange()
        flush()
    }

    /// Refuses a request and closes: what follows on the connection may be the body of what was refused.
    func refuse(_ status: HTTPResponseStatus, _ refusal: OriginMetrics.Refusal, reason: String) {
        origin.metrics.count(refusal)
        origin.logger.info(
            "request refused",
            metadata: [
                "request": "\(method) \(key?.path ?? "?")", "status": "\(status.code)", "rule": "\(refusal.rawValue)",
                "reason": "\(reason)",
                "peer": "\(context?.remoteAddress?.ipAddress ?? "unknown")",
            ])
        keepsAlive = false
        answer(status, text: reason + "\n", cache: .error)
    }

    /// A CORS preflight, or a plain question for the methods (`Fetch §3.2.2`).
    func answerOptions() {
        var head = head(.noContent)
        head.add("Allow", allowedMethods)
        head.add("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
        head.add(
            "Access-Control-Allow-Headers", "Range, If-None-Match, CMCD-Object, CMCD-Request, CMCD-Session, CMCD-Status"
        )
        head.add("Access-Control-Max-Age", "86400")
        write(head.finished())
        endExchange()
        flush()
    }
}
