import NIOCore
import NIOHPACK
import NIOHTTP1
import NIOHTTP2
import OriginStore
import Synchronization

/// One stream of an HTTP/2 connection: a request and its response (`RFC 9113 §8.1`).
final class HTTP2Stream: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    /// The largest piece of a body given to the stream at a time; it makes frames of it.
    private static let pieceBytes = 16 << 10
    /// Copies that wait on one connection, beyond which each stream has a piece at a time.
    private static let connectionLimit = 256 << 10
    /// Copies a connection may have when there are too many in all.
    private static let modestBytes = 64 << 10

    let eventLoop: any EventLoop
    private let origin: OriginContext
    private let listener: ListenerRole
    private let peer: PeerAddress?
    private let door: ConnectionDoor
    private var exchange: Exchange?
    /// Bytes copied for this stream that are not sent yet.
    private var copiedBytes = 0
    private var isRequestOpen = true
    private var hasEnded = false
    private var isClosed = false
    private var context: ChannelHandlerContext?

    init(
        origin: OriginContext, listener: ListenerRole, peer: PeerAddress?, door: ConnectionDoor,
        eventLoop: any EventLoop
    ) {
        self.door = door
        self.eventLoop = eventLoop
        self.origin = origin
        self.listener = listener
        self.peer = peer
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        door.insert(self)
    }

    func channelInactive(context: ChannelHandlerContext) {
        isClosed = true
        exchange?.abandon()
        exchange = nil
        door.remove(self)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What a connection still had to give when it ended is given after that.
        guard door.isOpen else { return }
        switch unwrapInboundIn(data) {
        case .headers(let frame):
            isRequestOpen = !frame.endStream
            if exchange == nil { begin(frame.headers) }
            if frame.endStream { exchange?.receiveEnd() }
        case .data(let frame):
            isRequestOpen = !frame.endStream
            if case .byteBuffer(let bytes) = frame.data { exchange?.receive(bytes) }
            if frame.endStream { exchange?.receiveEnd() }
        default: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        exchange?.receiveComplete()
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { exchange?.resume() }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent { exchange?.drain() }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    // MARK: The request

    var isUploading: Bool { if case .uploading? = exchange?.phase { true } else { false } }

    private func begin(_ headers: HPACKHeaders) {
        let request = HTTPRequestHead(headers)
        let exchange = Exchange(request, origin: origin, listener: listener, peer: peer, wire: self)
        self.exchange = exchange
        guard headers.count <= ConnectionDoor.fieldLimit,
            headers.reduce(0, { $0 + $1.name.utf8.count + $1.value.utf8.count })
                <= origin.configuration.headerLimitBytes
        else {
            return exchange.refuse(
                .requestHeaderFieldsTooLarge, .malformed, reason: "the request's header is too large")
        }
        guard !origin.hasManyStreams || !door.hasFurtherStreams else {
            return exchange.refuse(.serviceUnavailable, .connections, reason: "there are too many requests at a time")
        }
        guard request.method != .CONNECT, !request.uri.isEmpty else {
            return exchange.refuse(.methodNotAllowed, .method, reason: "\(listener.allowedMethods) are served here")
        }
        exchange.begin()
    }

    // MARK: Deadlines

    func timePassed(now: NIODeadline) {
        guard let exchange, exchange.timeLeft(now: now) <= .zero else { return }
        if case .ended = exchange.phase { context?.close(promise: nil) } else { exchange.expire() }
    }
}

extension HTTP2Stream: ExchangeWire {
    var isWritable: Bool {
        guard copiedBytes == 0 || door.copiedBytes < Self.connectionLimit else { return false }
        return context?.channel.isWritable ?? false
    }

    var takesGrowingBodies: Bool { true }

    var hasManyCopies: Bool { origin.hasManyCopies && door.copiedBytes > Self.modestBytes }

    func expectBody() { door.expectBody() }

    func continueRequest() {
        write(.headers(.init(headers: HPACKHeaders([(":status", "100")]))))
        flush()
    }

    func closeAfterResponse() {}

    func start(_ head: ResponseHead, _ framing: ResponseFraming) {
        var headers = HPACKHeaders([(":status", "\(head.status.code)")])
        for (name, value) in head.fields { headers.add(name: name.lowercased(), value: value) }
        write(.headers(.init(headers: headers, endStream: framing == .none)))
        hasEnded = framing == .none
    }

    func start(
        sharing shared: SharedHead, unixTime: Int, _ framing: ResponseFraming, isFollowed: Bool,
        _ head: () -> ResponseHead
    ) {
        start(head(), framing)
    }

    func send(_ chunk: ObjectChunk, isFollowed: Bool) {
        door.sentBytes += chunk.payload.readableBytes
        write(.data(.init(data: .byteBuffer(chunk.payload))))
    }

    func send(_ part: inout BodyPart) {
        while isWritable, part.count > 0 {
            guard let bytes = part.prefix(Self.pieceBytes) else { return }
            part.removeFirst(bytes.readableBytes)
            writeCopied(bytes)
        }
    }

    func end() {
        guard isRequestOpen, !isClosed, let context else {
            if !hasEnded { write(Self.lastData) }
            hasEnded = true
            return
        }
        // What is still to come of the request's body is not wanted (`RFC 9113 §8.1`); saying so at once would take the
        // response with it.
        guard !hasEnded else { return write(.rstStream(.noError)) }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenSuccess { [weak self] in
            self?.write(.rstStream(.noError))
            self?.flush()
        }
        context.write(wrapOutboundOut(Self.lastData), promise: written)
        hasEnded = true
    }

    private static let lastData = HTTP2Frame.FramePayload.data(
        .init(data: .byteBuffer(ByteBuffer()), endStream: true))

    func cut() {
        write(.rstStream(.internalError))
        flush()
    }

    func flush() {
        context?.flush()
    }

    private func write(_ payload: HTTP2Frame.FramePayload) {
        guard !isClosed, door.isOpen else { return }
        context?.write(wrapOutboundOut(payload), promise: nil)
    }

    private func count(copied count: Int) {
        copiedBytes += count
        door.copiedBytes += count
        origin.copiedBytes.wrappingAdd(count, ordering: .relaxed)
    }

    /// Writes bytes that nobody else holds, and counts them until they are sent.
    private func writeCopied(_ bytes: ByteBuffer) {
        guard !isClosed, door.isOpen, let context else { return }
        let count = bytes.readableBytes
        door.sentBytes += count
        let written = context.eventLoop.makePromise(of: Void.self)
        self.count(copied: count)
        written.futureResult.assumeIsolated().whenComplete { [self] result in
            self.count(copied: -count)
            // The channel itself says nothing where the connection's limit was what held it up.
            if case .success = result, copiedBytes == 0 { exchange?.resume() }
        }
        context.write(wrapOutboundOut(.data(.init(data: .byteBuffer(bytes)))), promise: written)
    }
}

extension HTTPRequestHead {
    /// A request's fields as HTTP/1.1 has them, the authority as its Host (`RFC 9113 §8.3.1`).
    init(_ headers: HPACKHeaders) {
        var fields = HTTPHeaders()
        var method = HTTPMethod.GET
        var target = ""
        for (name, value, _) in headers {
            switch name {
            case ":method": method = HTTPMethod(rawValue: value)
            case ":path": target = value
            case ":authority": fields.add(name: "host", value: value)
            case let name where name.hasPrefix(":"): break
            default: fields.add(name: name, value: value)
            }
        }
        self.init(version: .http2, method: method, uri: target, headers: fields)
    }
}
