import Logging
import NIOCore
import NIOHTTP1
import OriginStore
import Synchronization

/// One HTTP/1.1 connection: requests in, response bytes out, one exchange after the other.
///
/// It is also the viewer of a growing object: a cursor into its event loop's list of chunks, moved on by
/// ``pump(_:)`` when the object grows or the socket takes more. What it writes to the socket are bytes shared with
/// every other viewer.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = ByteBuffer

    /// What the connection is doing.
    enum Exchange {
        /// Waiting for a request.
        case idle
        /// Taking an upload; `pending` are bytes of this read that are not in the store yet.
        case upload(ObjectUpload, pending: ByteBuffer?)
        /// Serving an object that grows, from chunk `cursor` on.
        case growing(ReaderGroup, cursor: Int)
        /// An HTTP/1.0 client, which knows no chunks, waits for the whole object.
        case awaiting(ReaderGroup, ObjectKey, HTTPRequestHead)
        /// Sending bytes that are all there.
        case sending(ByteBuffer)
        /// The last response is out; input is thrown away until the peer closes.
        case closing
    }

    /// Requests sent ahead of a response that are kept (`RFC 9112 §9.3.2`).
    private static let pipelineLimit = 16
    /// Bytes of a body nobody asked for that are read before the connection is closed.
    private static let ignoredBodyLimit = 4 << 20

    let origin: OriginContext
    let mayPublish: Bool
    let mayRead: Bool
    var exchange = Exchange.idle
    var slot = 0
    var isResuming = false
    var keepsAlive = true
    /// When bytes last moved in the direction the exchange waits for.
    var lastProgress = NIODeadline.now()
    private var pipelined: [HTTPRequestHead] = []
    private var ignoredBytes = 0
    private var timer: Scheduled<Void>?
    private(set) var context: ChannelHandlerContext?

    init(origin: OriginContext, mayRead: Bool, mayPublish: Bool) {
        self.origin = origin
        self.mayRead = mayRead
        self.mayPublish = mayPublish
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func channelActive(context: ChannelHandlerContext) {
        origin.openConnections.wrappingAdd(1, ordering: .relaxed)
        lastProgress = .now()
        schedule(after: origin.configuration.requestTimeout)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        origin.openConnections.wrappingSubtract(1, ordering: .relaxed)
        timer?.cancel()
        abandonExchange()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): receive(head)
        case .body(let bytes): receive(bytes)
        case .end: receiveEnd()
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        appendPending()
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { resume() }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let parserError = error as? HTTPParserError else {
            context.close(promise: nil)
            return
        }
        if case .closing = exchange { return }
        let tooLong = parserError == .headerOverflow
        if case .idle = exchange {
            refuse(
                tooLong ? .requestHeaderFieldsTooLarge : .badRequest, .malformed,
                reason: tooLong ? "the request's header is larger than 80 KiB" : "the request is not valid HTTP/1.1")
        } else {
            abandonExchange()
            context.close(promise: nil)
        }
    }

    // MARK: Requests

    private func receive(_ head: HTTPRequestHead) {
        switch exchange {
        case .idle:
            begin(head)
        case .growing, .awaiting, .sending:
            guard pipelined.count < Self.pipelineLimit, [.GET, .HEAD, .OPTIONS].contains(head.method) else {
                abandonExchange()
                context?.close(promise: nil)
                return
            }
            pipelined.append(head)
        case .upload, .closing:
            break
        }
    }

    private func begin(_ head: HTTPRequestHead) {
        keepsAlive = head.isKeepAlive
        lastProgress = .now()
        guard head.version.minor == 0 || head.headers.contains(name: "Host") else {
            return refuse(.badRequest, .malformed, reason: "the Host header is missing")
        }
        let key: ObjectKey
        do throws(ObjectKeyError) {
            key = try ObjectKey(requestTarget: head.uri)
        } catch {
            if head.method == .OPTIONS, head.uri == "*" { return answerOptions() }
            return refuse(.badRequest, .path, reason: error.reason)
        }
        switch head.method {
        case .GET where mayRead, .HEAD where mayRead: serve(key, head)
        case .OPTIONS: answerOptions()
        case .PUT where mayPublish, .POST where mayPublish: open(key, head)
        case .DELETE where mayPublish: remove(key)
        default: refuse(.methodNotAllowed, .method, reason: "\(allowedMethods) are served here")
        }
    }

    var allowedMethods: String {
        (mayRead ? "GET, HEAD, " : "") + "OPTIONS" + (mayPublish ? ", PUT, POST, DELETE" : "")
    }

    private func receive(_ bytes: ByteBuffer) {
        switch exchange {
        case .upload(let upload, pending: var pending):
            exchange = .idle
            if pending == nil { pending = bytes } else { pending?.writeImmutableBuffer(bytes) }
            exchange = .upload(upload, pending: pending)
        case .idle, .growing, .awaiting, .sending, .closing:
            ignoredBytes += bytes.readableBytes
            if ignoredBytes > Self.ignoredBodyLimit { context?.close(promise: nil) }
        }
    }

    private func receiveEnd() {
        appendPending()
        if case .upload = exchange { finishUpload() }
    }

    // MARK: Ends

    /// The response is complete: on with the next request, or close.
    func endExchange() {
        exchange = .idle
        lastProgress = .now()
        guard keepsAlive else { return close() }
        if !pipelined.isEmpty { begin(pipelined.removeFirst()) }
    }

    /// Closes after what is written, without a reset that would take the response from the peer: its input is
    /// read and thrown away for a moment (`RFC 9112 §9.6`).
    func close() {
        guard let context else { return }
        if case .closing = exchange { return }
        exchange = .closing
        lastProgress = .now()
        context.close(mode: .output, promise: nil)
        schedule(after: .seconds(2))
    }

    /// Ends the connection in the middle of a response, so that no reader or cache takes it for whole.
    func cut(_ reason: OriginMetrics.Cut) {
        origin.metrics.count(reason)
        origin.logger.debug("reader cut", metadata: ["reason": "\(reason.rawValue)"])
        abandonExchange()
        context?.close(promise: nil)
    }

    private func abandonExchange() {
        appendPending()
        switch exchange {
        case .upload(let upload, _):
            breakOff(upload)
        case .growing(let group, _), .awaiting(let group, _, _):
            if let context { group.remove(self, on: context.eventLoop) }
        case .idle, .sending, .closing:
            break
        }
        exchange = .closing
    }

    // MARK: Deadlines

    /// One timer a connection, set again only when it fires: activity just moves `lastProgress`.
    func schedule(after delay: TimeAmount) {
        guard let context else { return }
        timer?.cancel()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: delay) { [weak self] in self?.timerFired() }
    }

    private func timerFired() {
        guard let context else { return }
        let configuration = origin.configuration
        let limit: TimeAmount
        let expired: () -> Void
        switch exchange {
        case .idle:
            limit = configuration.requestTimeout
            expired = { context.close(promise: nil) }
        case .upload:
            limit = configuration.uploadTimeout
            expired = {
                self.abandonExchange()
                context.close(promise: nil)
            }
        case .growing(let group, let cursor):
            let isHeld = cursor == 0 && group.chunks.isEmpty
            if cursor == group.chunks.count, !isHeld { lastProgress = .now() }
            limit = isHeld ? configuration.store.holdLimit : configuration.stallLimit
            expired = { self.cut(isHeld ? .held : .stalled) }
        case .awaiting:
            limit = configuration.store.holdLimit
            expired = { self.cut(.held) }
        case .sending:
            limit = configuration.stallLimit
            expired = { self.cut(.stalled) }
        case .closing:
            return context.close(promise: nil)
        }
        let left = lastProgress + limit - .now()
        if left <= .zero { expired() } else { schedule(after: max(left, .milliseconds(100))) }
    }
}
