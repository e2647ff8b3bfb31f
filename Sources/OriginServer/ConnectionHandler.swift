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
///
/// A flush can fail, and then brings on input that was still to be read and the connection's end before it returns:
/// the exchange is up to date before each, and nothing leaves ``Exchange/closing``.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What the connection is doing.
    enum Exchange {
        /// Waiting for a request.
        case idle
        /// Taking an upload; `pending` are bytes of this read that are not in the store yet.
        case upload(ObjectUpload, pending: ByteBuffer?)
        /// Serving an object that grows, from chunk `cursor` on.
        case growing(ReaderGroup)
        /// An HTTP/1.0 client, which knows no chunks, waits for the whole object.
        case awaiting(ReaderGroup, ObjectKey, HTTPRequestHead)
        /// Sending bytes that are all there.
        case sending(ByteBuffer)
        /// The last response is out; input is thrown away until the peer closes.
        case closing
    }

    /// Requests sent ahead of a response that are kept (`RFC 9112 §9.3.2`). Reading stops while there is one, so
    /// more than these came in a single read.
    private static let pipelineLimit = 1_024
    /// Bytes of a body nobody asked for that are read before the connection is closed.
    private static let ignoredBodyLimit = 32 << 20
    /// How long what a refused peer still sends is read, so that it sees the response.
    private static let lingerTime = TimeAmount.seconds(2)

    let origin: OriginContext
    let mayPublish: Bool
    let mayRead: Bool
    var exchange = Exchange.idle
    var slot = 0
    /// How many of the growing object's chunks have been written.
    var cursor = 0
    /// The way around the channel, while there is one.
    var socket: DirectSocket?
    /// Writes the channel has not finished: as long as there are some, all others queue behind them.
    var queuedWrites = 0
    var isResuming = false
    var keepsAlive = true
    /// Whether the current request is a HEAD, whose response has no body.
    private(set) var isHead = false
    /// What the current request asks for, for the log; nil where its path is no object's.
    private(set) var method = HTTPMethod.GET
    private(set) var key: ObjectKey?
    /// When bytes last moved in the direction the exchange waits for.
    var lastProgress = NIODeadline.now()
    private var pipelined = CircularBuffer<HTTPRequestHead>()
    private var isBeginning = false
    private var isReadHeld = false
    private var isOutputClosed = false
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
        let open = origin.openConnections.wrappingAdd(1, ordering: .relaxed).newValue
        guard open <= origin.connectionsLimit else {
            origin.metrics.count(.connections)
            exchange = .closing
            return context.close(promise: nil)
        }
        socket = DirectSocket(context)
        lastProgress = .now()
        schedule(after: origin.longestTick)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        socket = nil
        origin.openConnections.wrappingSubtract(1, ordering: .relaxed)
        abandonExchange()
        timer?.cancel()
        timer = nil
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    /// No more requests are read than are being answered.
    func read(context: ChannelHandlerContext) {
        if pipelined.isEmpty { context.read() } else { isReadHeld = true }
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

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // The last response has left and only the peer's end is waited for.
        if case ChannelEvent.outputClosed = event {
            isOutputClosed = true
            schedule(after: Self.lingerTime)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let parserError = error as? HTTPParserError, parserError != .invalidEOFState else {
            context.close(promise: nil)
            return
        }
        switch exchange {
        case .idle:
            if parserError == .headerOverflow {
                refuse(.requestHeaderFieldsTooLarge, .malformed, reason: "the request's header is too large")
            } else {
                refuse(.badRequest, .malformed, reason: "the request is not valid HTTP/1.1")
            }
        case .upload:
            breakOffUpload()
            refuse(.badRequest, .malformed, reason: "the framing of the request's body is wrong")
        case .growing, .awaiting, .sending:
            abandonExchange()
            context.close(promise: nil)
        case .closing: break
        }
    }

    // MARK: Requests

    private func receive(_ head: HTTPRequestHead) {
        switch exchange {
        case .idle where !isBeginning:
            begin(head)
        case .idle, .growing, .awaiting, .sending:
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
        method = head.method
        key = nil
        keepsAlive = head.isKeepAlive && head.version.minor > 0
        isHead = head.method == .HEAD
        ignoredBytes = 0
        lastProgress = .now()
        guard head.version.major == 1 else {
            return refuse(.httpVersionNotSupported, .malformed, reason: "HTTP/1.1 is spoken here")
        }
        let hosts = head.headers["Host"].count
        guard hosts == 1 || (hosts == 0 && head.version.minor == 0) else {
            return refuse(.badRequest, .malformed, reason: "there must be one Host header")
        }
        let key: ObjectKey
        do throws(ObjectKeyError) {
            key = try ObjectKey(requestTarget: head.uri)
        } catch {
            if head.method == .OPTIONS, head.uri == "*" { return answerOptions() }
            return refuse(.badRequest, .path, reason: error.reason)
        }
        self.key = key
        switch head.method {
        case .GET where mayRead, .HEAD where mayRead: serve(key, head)
        case .OPTIONS: answerOptions()
        case .PUT where mayPublish, .POST where mayPublish: open(key, head)
        case .DELETE where mayPublish: remove(key, head)
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

    /// The response is written: on with the next request, or close. The caller flushes afterwards.
    func endExchange() {
        if case .closing = exchange { return }
        exchange = .idle
        lastProgress = .now()
        guard keepsAlive else { return close() }
        guard !pipelined.isEmpty, !isBeginning else { return }
        isBeginning = true
        while case .idle = exchange, let head = pipelined.popFirst() { begin(head) }
        isBeginning = false
        releaseRead()
    }

    private func releaseRead() {
        guard isReadHeld, pipelined.isEmpty else { return }
        isReadHeld = false
        context?.read()
    }

    /// Closes after what is written, without a reset that would take the response from the peer: its input is
    /// read and thrown away for a moment (`RFC 9112 §9.6`).
    func close() {
        guard let context else { return }
        if case .closing = exchange { return }
        exchange = .closing
        pipelined.removeAll()
        context.flush()
        context.close(mode: .output, promise: nil)
        releaseRead()
    }

    /// Ends the connection in the middle of a response, so that no reader or cache takes it for whole.
    func cut(_ reason: OriginMetrics.Cut) {
        if case .closing = exchange { return }
        origin.metrics.count(reason)
        origin.logger.debug("reader cut", metadata: ["reason": "\(reason.rawValue)"])
        abandonExchange()
        context?.close(promise: nil)
    }

    /// The connection is no good any more, or will be closed at once.
    private func abandonExchange() {
        pipelined.removeAll()
        switch exchange {
        case .upload: breakOffUpload()
        case .growing(let group), .awaiting(let group, _, _):
            if let context { group.remove(self, on: context.eventLoop) }
        case .idle, .sending, .closing: break
        }
        exchange = .closing
    }

    // MARK: Deadlines

    /// One timer a connection, set again only when it fires: activity just moves `lastProgress`.
    private func schedule(after delay: TimeAmount) {
        guard let context else { return }
        timer?.cancel()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: delay) { [weak self] in self?.timerFired() }
    }

    private func timerFired() {
        guard let context else { return }
        let configuration = origin.configuration
        let limit: TimeAmount
        var reason: OriginMetrics.Cut?
        switch exchange {
        case .idle:
            limit = configuration.requestTimeout
        case .upload:
            limit = configuration.uploadTimeout
        case .growing(let group):
            let isHeld = group.chunks.isEmpty
            if cursor == group.chunks.count, !isHeld { lastProgress = .now() }
            limit = isHeld ? configuration.store.holdLimit : configuration.stallLimit
            reason = isHeld ? .held : .stalled
        case .awaiting(let group, _, _):
            if !group.chunks.isEmpty { lastProgress = .now() }
            limit = configuration.store.holdLimit
            reason = .held
        case .sending:
            limit = configuration.stallLimit
            reason = .stalled
        case .closing:
            limit = isOutputClosed ? .zero : configuration.stallLimit
        }
        let left = lastProgress + limit - .now()
        if left > .zero { return schedule(after: min(max(left, .milliseconds(50)), origin.longestTick)) }
        if let reason { return cut(reason) }
        abandonExchange()
        context.close(promise: nil)
    }
}
