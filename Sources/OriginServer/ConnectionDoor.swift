import CoreMetrics
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOSSL
import NIOTLS
import Synchronization

/// The first handler of a connection: admits it, finds out what it speaks, and lets it be found again.
///
/// On an encrypted listener the versions of HTTP are told apart by ALPN, on a plain one by the connection's first bytes:
/// HTTP/2 begins with its preface (`RFC 9113 §3.4`).
final class ConnectionDoor: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Reads there were.
    private(set) var reads = 0
    /// Requests that the current read, or the last one, has brought.
    private var readRequests = 0
    private var isWaitingToRead = false
    /// Whether what is read at a time is as much as bodies are worth.
    private var takesBodies = false
    private let origin: OriginContext
    let listener: ListenerRole
    private var peer: PeerAddress?
    private var isAdmitted = false
    private var isChosen = false
    /// Whether there has been a stream.
    private var hasSpoken = false
    /// Bytes that may yet be the beginning of the preface.
    private var first: ByteBuffer?
    private var opened = NIODeadline.now()
    private var context: ChannelHandlerContext?
    /// The way around the channel, where nothing stands between it and the peer.
    private(set) var socket: DirectSocket?
    /// What is spoken: one connection, or any number of streams.
    private var connection: HTTP1Connection?
    private var streams: [ObjectIdentifier: HTTP2Stream] = [:]
    /// Bytes copied for its streams that are not sent yet.
    var copiedBytes = 0
    /// Bytes of bodies that its streams sent and that are not in the metrics yet.
    var sentBytes = 0
    /// When the last stream ended.
    private var quietSince = NIODeadline.now()

    init(origin: OriginContext, listener: ListenerRole) {
        self.origin = origin
        self.listener = listener
    }

    /// Sets up a channel that has just been accepted.
    static func open(_ channel: any Channel, _ origin: OriginContext, _ listener: ListenerRole) throws {
        let pipeline = channel.pipeline.syncOperations
        let door = ConnectionDoor(origin: origin, listener: listener)
        try pipeline.addHandler(door)
        guard listener.isEncrypted, let context = origin.access.tls(for: listener) else { return }
        try pipeline.addHandler(NIOSSLServerHandler(context: context))
        try pipeline.addHandler(
            ApplicationProtocolNegotiationHandler { [weak door] result, channel in
                channel.eventLoop.makeCompletedFuture {
                    if case .negotiated("h2") = result {
                        try door?.speakHTTP2(channel)
                    } else {
                        try door?.speakHTTP1(channel)
                    }
                }
            })
    }

    // MARK: Channel events

    func channelActive(context: ChannelHandlerContext) {
        peer = context.remoteAddress.flatMap { PeerAddress($0) }
        guard origin.admit(self, on: context.eventLoop, peer) else {
            origin.metrics.count(.connections)
            isChosen = true
            if !listener.isEncrypted { context.write(wrapOutboundOut(Self.full), promise: nil) }
            context.flush()
            return context.close(promise: nil)
        }
        isAdmitted = true
        self.context = context
        opened = .now()
        // Finding it takes longer than anything else of a first request.
        if !listener.isEncrypted { socket = DirectSocket(context) }
        context.fireChannelActive()
    }

    private static let full = ByteBuffer(
        staticString: """
            HTTP/1.1 503 Service Unavailable\r
            Retry-After: 1\r
            Cache-Control: no-store\r
            Content-Length: 0\r
            Connection: close\r
            \r

            """)

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        reads &+= 1
        readRequests = 0
        guard isChosen || listener.isEncrypted else { return choose(unwrapInboundIn(data), context) }
        context.fireChannelRead(data)
    }

    /// Who sends many requests at a time is read in turn with others who do, so that all others go before them.
    func read(context: ChannelHandlerContext) {
        guard !isWaitingToRead else { return }
        guard readRequests > Self.modestRequests, isOpen else { return context.read() }
        isWaitingToRead = true
        origin.connections.readSoon(self, on: context.eventLoop)
    }

    /// It is this connection's turn.
    func readNow() {
        isWaitingToRead = false
        readRequests = 0
        context?.read()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // The peer has gone, or wants no answer.
        if case ChannelEvent.inputClosed = event {
            if connection?.finishesUpload() == true { return }
            return origin.connections.closeSoon(self, on: context.eventLoop)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        // Its number may be another connection's by now, and what the decoder still has would be answered.
        connection?.socket = nil
        countSentBytes()
        if isAdmitted { origin.dismiss(self, on: context.eventLoop, peer) }
        // It never got as far as to say what it speaks.
        if isAdmitted, listener.isEncrypted, !isChosen, reads > 0 { origin.metrics.count(.handshake) }
        isAdmitted = false
        context.fireChannelInactive()
    }

    // MARK: What is spoken

    private func choose(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        var all = bytes
        if var first {
            first.writeImmutableBuffer(bytes)
            all = first
            self.first = nil
        }
        // HTTP/2 costs more to set up than a peer who has not even said all of it is worth.
        let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8
        let start = all.readableBytesView.prefix(preface.count)
        if start.count < preface.count, preface.starts(with: start) {
            first = all
            return
        }
        do {
            if start.elementsEqual(preface) {
                try speakHTTP2(context.channel)
            } else {
                try speakHTTP1(context.channel)
            }
            context.fireChannelRead(NIOAny(all))
        } catch {
            context.close(promise: nil)
        }
    }

    private func speakHTTP1(_ channel: any Channel) throws {
        isChosen = true
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = origin.configuration.headerLimitBytes
        limits.maxHeaderListSize = origin.configuration.headerLimitBytes
        limits.maxHeaderFieldCount = Self.fieldLimit
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(
            ByteToMessageHandler(
                HTTPRequestDecoder(limitConfiguration: limits),
                maximumBufferSize: origin.configuration.headerLimitBytes + Self.undecodedBytes))
        let connection = HTTP1Connection(
            origin: origin, listener: listener, peer: peer, door: self, channel: channel)
        self.connection = connection
        try pipeline.addHandler(connection)
    }

    private func speakHTTP2(_ channel: any Channel) throws {
        isChosen = true
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: Self.streamLimit),
            // Beyond this the connection ends; a header of less that is too large is answered.
            HTTP2Setting(parameter: .maxHeaderListSize, value: 2 * origin.configuration.headerLimitBytes),
            HTTP2Setting(parameter: .initialWindowSize, value: Self.windowBytes),
        ]
        connection.targetWindowSize = Self.windowBytes
        connection.maximumBufferedControlFrames = Self.bufferedFrameLimit
        // What is still on its way to streams that were refused is no error of the connection.
        connection.maximumRecentlyResetStreams = 10 * Self.streamLimit
        var stream = NIOHTTP2Handler.StreamConfiguration()
        stream.targetWindowSize = Self.windowBytes
        stream.outboundBufferSizeHighWatermark = Self.streamBufferBytes
        stream.outboundBufferSizeLowWatermark = Self.streamBufferBytes / 2
        let manager = NIOHTTP2ServerConnectionManagementHandler(
            eventLoop: channel.eventLoop,
            configuration: .init(
                maxIdleTime: origin.configuration.idleTimeout, maxAge: nil,
                maxGraceTime: origin.configuration.drainLimit,
                keepalive: .init(pingInterval: origin.configuration.idleTimeout, ackTimeout: .seconds(20))))
        let handler = NIOHTTP2Handler(
            mode: .server, eventLoop: channel.eventLoop, connectionConfiguration: connection,
            streamConfiguration: stream, streamDelegate: manager.http2StreamDelegate
        ) { [origin, listener, peer, bound = NIOLoopBound(self, eventLoop: channel.eventLoop)] stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandler(
                    HTTP2Stream(
                        origin: origin, listener: listener, peer: peer, door: bound.value,
                        eventLoop: stream.eventLoop))
            }
        }
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(handler)
        try pipeline.addHandler(manager)
        try pipeline.addHandler(HTTP2ConnectionErrors())
        // The manager counts from here; the handler before it keeps the event to itself.
        try pipeline.context(handler: handler).fireChannelActive()
    }

    /// Brings what was sent to the metrics: now and then, as it is for every viewer and chunk.
    private func countSentBytes() {
        let count = sentBytes + (connection?.sentBytes ?? 0)
        guard count > 0 else { return }
        origin.metrics.sentBytes.increment(by: count)
        sentBytes = 0
        connection?.sentBytes = 0
    }

    // MARK: What the origin tells it

    func timePassed(now: NIODeadline) {
        guard isOpen else { return }
        countSentBytes()
        if !hasSpoken, connection == nil, now - opened >= origin.configuration.requestTimeout { return close() }
        if connection == nil, isChosen, streams.isEmpty,
            now - quietSince >= origin.configuration.idleTimeout + Self.farewellTime
        {
            return close()
        }
        connection?.timePassed(now: now)
        for stream in streams.values { stream.timePassed(now: now) }
    }

    /// The origin is about to stop.
    func drain() {
        guard isChosen else { return close() }
        context?.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    }

    func close() {
        context?.close(promise: nil)
    }

    /// Whether the connection's end has not come.
    var isOpen: Bool { context != nil }

    /// Whether it has a stream besides the one that has just begun.
    var hasFurtherStreams: Bool { streams.count > 1 }

    /// A request has come.
    func requestCame() {
        hasSpoken = true
        readRequests += 1
    }

    /// A body comes, which is read in larger pieces than requests are.
    func expectBody() {
        guard !takesBodies, let context else { return }
        takesBodies = true
        // What a publisher sends at a time is to be one chunk, which each viewer is sent at once.
        let count = connection == nil ? Self.frameBytes : Self.bodyBytes
        let buffers = AdaptiveRecvByteBufferAllocator(minimum: Self.frameBytes, initial: count, maximum: count)
        try? context.channel.syncOptions?.setOption(.recvAllocator, value: buffers)
    }

    func insert(_ stream: HTTP2Stream) {
        requestCame()
        guard streams.updateValue(stream, forKey: ObjectIdentifier(stream)) == nil else { return }
        origin.streams.wrappingAdd(1, ordering: .relaxed)
    }

    func remove(_ stream: HTTP2Stream) {
        quietSince = .now()
        guard streams.removeValue(forKey: ObjectIdentifier(stream)) != nil else { return }
        origin.streams.wrappingSubtract(1, ordering: .relaxed)
    }

    /// Requests that one read may bring, for the next to follow at once.
    private static let modestRequests = 16
    /// What is read at a time of a connection that has not uploaded: requests of that size are worked off in a few
    /// milliseconds.
    static let requestBytes = 4 << 10
    /// Of one that has, over HTTP/1.1.
    private static let bodyBytes = 64 << 10
    /// And over HTTP/2, where so much may be many requests (`RFC 9113 §4.2`).
    private static let frameBytes = 16 << 10
    /// How long an HTTP/2 peer has to answer that its connection is to end.
    private static let farewellTime = TimeAmount.seconds(2)
    /// Header fields of a request.
    static let fieldLimit = 128
    /// What may wait to be decoded besides a head: what comes in two reads.
    private static let undecodedBytes = 2 * bodyBytes
    /// Requests at a time on one HTTP/2 connection.
    private static let streamLimit = 100
    /// What a peer may send of an upload before it is taken.
    private static let windowBytes = 1 << 20
    /// Heads of responses and the like that wait for an HTTP/2 peer who does not read; beyond that the connection ends.
    private static let bufferedFrameLimit = 1_000
    /// What waits for a slow HTTP/2 reader beside the object's own bytes.
    private static let streamBufferBytes = 32 << 10
}
