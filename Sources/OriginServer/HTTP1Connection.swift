import Logging
import NIOCore
import NIOHTTP1
import OriginStore

/// One HTTP/1.1 connection: requests in, one ``Exchange`` after the other, response bytes out.
///
/// A flush can fail, and then brings on input that was still to be read and the connection's end before it returns:
/// the connection's state is up to date before each, and nothing leaves ``State/closing``.
final class HTTP1Connection: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum State {
        /// Waiting for a request.
        case idle
        case exchanging(Exchange)
        /// The last response is out; input is thrown away until the peer closes.
        case closing
    }

    /// Bytes of a body nobody asked for that are read before the connection is closed.
    private static let ignoredBodyLimit = 32 << 20
    /// How long what a refused peer still sends is read, so that it sees the response.
    private static let lingerTime = TimeAmount.seconds(2)

    let channel: any Channel
    let origin: OriginContext
    private let listener: ListenerRole
    private let peer: PeerAddress?
    unowned let door: ConnectionDoor
    private var state = State.idle
    /// The way around the channel, while there is one.
    var socket: DirectSocket?
    /// Writes the channel has not finished: as long as there are some, all others queue behind them.
    var queuedWrites = 0
    /// Whether a write has failed: the connection's end follows, and nothing more is sent.
    var isBroken = false
    var unflushedBytes = 0
    /// When the channel last finished one, or took the first.
    var lastWrite = NIODeadline.now()
    /// Bytes of bodies sent that are not in the metrics yet.
    var sentBytes = 0
    var framing = ResponseFraming.none
    var keepsAlive = true
    private(set) var version = HTTPVersion.http1_1
    /// Whether the current request's end is still to come.
    private var isRequestOpen = false
    private var pipelined = PipelinedRequests()
    /// What was no request, or none any more, to be said when those before it are answered.
    private var flaw: HTTPParserError?
    private var isBeginning = false
    private var isReadHeld = false
    private var isOutputClosed = false
    /// Whether the peer has ended its side.
    private var isInputClosed = false
    private var isDraining = false
    private var ignoredBytes = 0
    /// When the last exchange ended, or the output was closed.
    private var idleSince = NIODeadline.now()
    /// What the door had read when the connection became idle; more means that a request is on its way.
    private var readsWhenIdle = 0
    private var headSince: NIODeadline?
    private(set) var context: ChannelHandlerContext?

    init(
        origin: OriginContext, listener: ListenerRole, peer: PeerAddress?, door: ConnectionDoor,
        channel: any Channel
    ) {
        self.channel = channel
        self.origin = origin
        self.listener = listener
        self.peer = peer
        self.door = door
        socket = door.socket
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        isDraining = origin.isDraining
    }

    func channelInactive(context: ChannelHandlerContext) {
        abandon()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    /// No more requests are read than are being answered, and none whose peer does not take what is written.
    func read(context: ChannelHandlerContext) {
        if pipelined.isEmpty { context.read() } else { isReadHeld = true }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        receive(unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if case .exchanging(let exchange) = state { exchange.receiveComplete() }
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
            idleSince = .now()
        }
        if event is ChannelShouldQuiesceEvent { drain() }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? ByteToMessageDecoderError, case .dataReceivedInErrorState(_, let bytes) = error {
            // What follows what is no request.
            if isTooMuch(bytes) { abort() }
            return
        }
        guard let parserError = error as? HTTPParserError, parserError != .invalidEOFState else {
            return abort()
        }
        // What follows a connection's last request is not looked at.
        if parserError == .closedConnection { return }
        flaw = parserError
        answerFlaw()
    }

    /// Answers what was no request when its turn has come.
    private func answerFlaw() {
        guard let flaw, pipelined.isEmpty else { return }
        switch state {
        case .idle where mayBegin:
            self.flaw = nil
            refuse(flaw)
        case .exchanging(let exchange) where isRequestOpen:
            self.flaw = nil
            keepsAlive = false
            guard case .uploading = exchange.phase else { return }
            exchange.breakOffUpload()
            exchange.refuse(.badRequest, .malformed, reason: "the framing of the request's body is wrong")
        case .idle, .exchanging, .closing: break
        }
    }

    /// Answers what is no request.
    private func refuse(_ error: HTTPParserError) {
        keepsAlive = false
        let request = HTTPRequestHead(version: .http1_1, method: .GET, uri: "?")
        let exchange = Exchange(request, origin: origin, listener: listener, peer: peer, wire: self)
        state = .exchanging(exchange)
        switch error {
        case .headerOverflow:
            exchange.refuse(.requestHeaderFieldsTooLarge, .malformed, reason: "the request's header is too large")
        case .invalidVersion:
            exchange.refuse(.httpVersionNotSupported, .malformed, reason: "HTTP/1.1 and HTTP/2 are spoken here")
        case .invalidMethod:
            exchange.refuse(.notImplemented, .malformed, reason: "there is no such method")
        default:
            exchange.refuse(.badRequest, .malformed, reason: "the request is not valid HTTP/1.1")
        }
    }

    /// The socket takes more.
    func resume() {
        guard !isBroken else { return }
        switch state {
        case .exchanging(let exchange): exchange.resume()
        case .idle: beginPipelined()
        case .closing: if isInputClosed, queuedWrites == 0 { door.close() }
        }
    }

    /// Whether a request may begin: the one before is answered, and its peer takes the answers. Those who only ask would
    /// have them queued without bound.
    private var mayBegin: Bool {
        guard case .idle = state else { return false }
        return !isRequestOpen && queuedWrites == 0 && !isBroken
    }

    // MARK: Requests

    var isUploading: Bool {
        if case .exchanging(let exchange) = state, case .uploading = exchange.phase { true } else { false }
    }

    private func receive(_ part: HTTPServerRequestPart) {
        if case .closing = state {
            if case .body(let bytes) = part, isTooMuch(bytes) { abort() }
            return
        }
        if case .head = part { door.requestCame() }
        let isDue = if case .head = part { mayBegin } else { isRequestOpen }
        if isDue, pipelined.isEmpty, !isBeginning { take(part) } else { pipelined.append(part) }
    }

    private func take(_ part: HTTPServerRequestPart) {
        switch part {
        case .head(let head): begin(head)
        case .body(let bytes): receive(bytes)
        case .end:
            isRequestOpen = false
            if case .exchanging(let exchange) = state { exchange.receiveEnd() }
        }
    }

    private func begin(_ head: HTTPRequestHead) {
        isRequestOpen = true
        version = head.version
        // The decoder takes what follows a request for another protocol as that protocol's.
        let asksForOther = head.method == .CONNECT || head.headers.contains(name: "Upgrade")
        keepsAlive =
            head.isKeepAlive && head.version.minor > 0 && !isDraining && !asksForOther && !pipelined.isAtLast
        ignoredBytes = 0
        headSince = nil
        let exchange = Exchange(head, origin: origin, listener: listener, peer: peer, wire: self)
        state = .exchanging(exchange)
        guard head.version.major == 1 else {
            keepsAlive = false
            return exchange.refuse(
                .httpVersionNotSupported, .malformed, reason: "HTTP/1.1 and HTTP/2 are spoken here")
        }
        if let (status, reason) = head.flaw {
            keepsAlive = false
            return exchange.refuse(status, .malformed, reason: reason)
        }
        exchange.begin()
    }

    private func receive(_ bytes: ByteBuffer) {
        if case .exchanging(let exchange) = state, case .uploading = exchange.phase { return exchange.receive(bytes) }
        if isTooMuch(bytes) { abort() }
    }

    /// Whether more of a body came that nobody wants than is read for the peer's sake.
    private func isTooMuch(_ bytes: ByteBuffer) -> Bool {
        ignoredBytes += bytes.readableBytes
        return ignoredBytes > Self.ignoredBodyLimit
    }

    // MARK: Ends

    /// The current response is written: on with the next request, or close.
    func exchangeEnded() {
        if case .closing = state { return }
        state = .idle
        idleSince = .now()
        readsWhenIdle = door.reads
        guard keepsAlive else { return close() }
        beginPipelined()
    }

    /// Takes up requests that came ahead, as far as they can be answered.
    private func beginPipelined() {
        guard !isBeginning else { return }
        isBeginning = true
        while let part = pipelined.first {
            if case .closing = state { break }
            if case .head = part, !mayBegin { break }
            pipelined.removeFirst()
            take(part)
        }
        isBeginning = false
        // What one read brought ahead of its turn is all here.
        if case .exchanging(let exchange) = state { exchange.receiveComplete() }
        answerFlaw()
        releaseRead()
    }

    private func releaseRead() {
        guard isReadHeld, pipelined.isEmpty else { return }
        isReadHeld = false
        context?.read()
    }

    /// Closes after what is written, without a reset that would take the response from the peer: its input is
    /// read and thrown away for a moment (`RFC 9112 §9.6`).
    private func close() {
        guard let context else { return }
        state = .closing
        pipelined.removeAll()
        idleSince = .now()
        context.flush()
        // With both sides closed the channel gives up what is queued.
        if !isInputClosed || queuedWrites == 0 { context.close(mode: .output, promise: nil) }
        releaseRead()
    }

    /// The connection is no good any more.
    private func abandon() {
        pipelined.removeAll()
        if case .exchanging(let exchange) = state {
            state = .closing
            exchange.abandon()
        }
        state = .closing
    }

    /// The peer has ended its side: whether it is owed an answer that is on its way, and how that ends is known. Who reads
    /// what grows, or waits for it, is taken as gone: most are, and would wait for long.
    func isOwedAnswer() -> Bool {
        isInputClosed = true
        switch state {
        case .exchanging(let exchange):
            switch exchange.phase {
            case .finishing, .sending: keepsAlive = false
            case .begun, .uploading, .following, .awaiting, .holding, .ended: return false
            }
        case .idle where queuedWrites > 0: close()
        case .closing where queuedWrites > 0: break
        case .idle, .closing: return false
        }
        return true
    }

    /// The origin is about to stop.
    private func drain() {
        isDraining = true
        keepsAlive = false
        switch state {
        case .idle: close()
        case .exchanging(let exchange): exchange.drain()
        case .closing: break
        }
    }

    // MARK: Deadlines

    func timePassed(now: NIODeadline) {
        switch state {
        case .exchanging(let exchange):
            if exchange.timeLeft(now: now) <= .zero { exchange.expire() }
        case .idle where queuedWrites == 0:
            // Who waits for his turn is not who takes this time.
            if !door.isLate, idleTimeLeft(now: now) <= .zero { abort() }
        case .closing where isOutputClosed:
            let isTaken = socket?.hasUnsent != true || now - idleSince >= origin.configuration.stallLimit
            if isTaken, now - idleSince >= Self.lingerTime { abort() }
        case .idle, .closing:
            // The end of a response is still on its way.
            guard now - max(lastWrite, idleSince) >= origin.configuration.stallLimit else { return }
            origin.metrics.count(OriginMetrics.Cut.stalled)
            abort()
        }
    }

    /// A connection may rest for long, but a request's head is to come at once.
    private func idleTimeLeft(now: NIODeadline) -> TimeAmount {
        if door.reads != readsWhenIdle, headSince == nil { headSince = now }
        if let headSince { return headSince + origin.configuration.requestTimeout - now }
        return idleSince + origin.configuration.idleTimeout - now
    }

    /// Without TLS's farewell: what is under way is not whole, or the peer had its time.
    func abort() {
        abandon()
        door.close()
    }
}
