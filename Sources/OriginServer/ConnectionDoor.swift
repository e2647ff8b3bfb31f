import CoreMetrics
import NIOCore
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
    var reads = 0
    /// Requests that the current read, or the last one, has brought.
    var readRequests = 0
    /// Whether the channel was asked to read, and has not finished.
    var isReadAsked = false
    /// Whether it is giving what it has read.
    var isReading = false
    /// Whether its peer has ended its side, and what is still to be read comes all at once.
    var isLeaving = false
    /// Whether it waits for its turn, and is not read until then.
    var isWaiting = false
    /// Whether what is read at a time is as much as bodies are worth.
    private(set) var takesBodies = false
    let origin: OriginContext
    let listener: ListenerRole
    private(set) var peer: PeerAddress?
    private var isAdmitted = false
    /// Whether it is known what is spoken.
    var isChosen = false
    /// Whether there has been a request.
    private var hasSpoken = false
    /// Whether anything was written, by TLS too.
    private(set) var hasAnswered = false
    /// Bytes that may yet be the beginning of the preface.
    private var first: ByteBuffer?
    /// What was read and waits for its turn, and since when.
    var late: ByteBuffer?
    var lateSince = NIODeadline.now()
    /// Since when its peer has had time to speak.
    var opened = NIODeadline.now()
    private(set) var context: ChannelHandlerContext?
    /// The way around the channel, where nothing stands between it and the peer.
    private(set) var socket: DirectSocket?
    /// What is spoken: one connection, or any number of streams.
    var connection: HTTP1Connection?
    private(set) var streams: [ObjectIdentifier: HTTP2Stream] = [:]
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

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        hasAnswered = true
        context.write(data, promise: promise)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // The peer has gone, or wants no answer.
        if case ChannelEvent.inputClosed = event {
            if connection?.isOwedAnswer() == true { return }
            return origin.connections.closeSoon(self, on: context.eventLoop)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        late = nil
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

    func choose(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
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
            close()
        }
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
        // Who waits for his turn is not who takes this time.
        if !hasSpoken, connection == nil, !isLate, now - opened >= origin.configuration.requestTimeout {
            return close()
        }
        if connection == nil, !isLate, isChosen, streams.isEmpty,
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

    /// Whether something was read that waits for its turn.
    var isLate: Bool { late != nil }

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

    /// What is read at a time of a connection that has not uploaded: requests of that size are worked off in a few
    /// milliseconds.
    static let requestBytes = 4 << 10
    /// And of one that sends less than this.
    static let smallestRead = 512
    /// Of one that has, over HTTP/1.1.
    static let bodyBytes = 64 << 10
    /// And over HTTP/2, where so much may be many requests (`RFC 9113 §4.2`).
    private static let frameBytes = 16 << 10
    /// How long an HTTP/2 peer has to answer that its connection is to end.
    private static let farewellTime = TimeAmount.seconds(2)
}
