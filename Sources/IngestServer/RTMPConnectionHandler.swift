import CoreMetrics
import Logging
import Media
import NIOCore
import RTMP

/// One RTMP connection: bytes to messages, messages to the session machine, and what that decides.
///
/// Media of one read goes to the broadcast in one step when the read is over, and answers are flushed then: a flush that
/// fails makes NIO hand over what is still to be read, which must not overtake what is being decoded.
final class RTMPConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Reads whose media may be on their way to a broadcast on another event loop before the next read waits.
    private static let deliveriesLimit = 16

    private let ingest: IngestContext
    private let registry: BroadcastRegistry
    private let limits: RTMPLimits
    private var handshake: Handshake? = Handshake()
    private var decoder: ChunkDecoder
    private var encoder = ChunkEncoder()
    private var session: PublisherSession
    private var generator = SystemRandomNumberGenerator()
    /// Bytes that are not decoded yet.
    private var input = ByteBuffer()
    private var media = MediaReader()
    private var publish: (name: StreamName, broadcast: BroadcastHandle, epoch: UInt64)?
    private var events: [PublisherEvent] = []
    private var deliveries = 0
    private var isReadHeld = false
    private var isClosing = false
    private var isCounted = false
    private var timer: Scheduled<Void>?
    /// When the present state began or, while publishing, when bytes last came.
    private var lastLife = NIODeadline.now()
    private var logger: Logger
    private var context: ChannelHandlerContext?

    init(ingest: IngestContext, registry: BroadcastRegistry) {
        self.ingest = ingest
        self.registry = registry
        limits = ingest.configuration.limits
        decoder = ChunkDecoder(limits: limits)
        decoder.partialBytesLimit = limits.unacceptedPartialBytes
        session = PublisherSession(limits: limits)
        logger = ingest.logger
    }

    // MARK: Channel events

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        guard ingest.connections.value < ingest.connectionsLimit else {
            ingest.metrics.refusal(reason: "connections")
            isClosing = true
            return context.close(promise: nil)
        }
        isCounted = true
        ingest.connections.changed(by: 1, ingest.metrics.connections)
        logger[metadataKey: "peer"] = "\(context.remoteAddress?.ipAddress ?? "unknown")"
        lastLife = .now()
        scheduleDeadline()
    }

    func channelInactive(context: ChannelHandlerContext) {
        if isCounted { ingest.connections.changed(by: -1, ingest.metrics.connections) }
        timer?.cancel()
        deliver()
        session.connectionClosed()
        leave()
        self.context = nil
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        logger.debug("connection failed", metadata: ["reason": "\(error)"])
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing else { return }
        var bytes = unwrapInboundIn(data)
        let count = bytes.readableBytes
        ingest.metrics.receivedBytes.increment(by: count)
        if session.isPublishing { lastLife = .now() }
        run(session.receivedBytes(count))
        if input.readableBytes == 0 { input = bytes } else { input.writeBuffer(&bytes) }
        do throws(RTMPError) {
            try readInput()
        } catch {
            close(breaking: error)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        deliver()
        context.flush()
        context.fireChannelReadComplete()
    }

    // MARK: Reading

    private func readInput() throws(RTMPError) {
        while handshake != nil {
            let time = UInt32(truncatingIfNeeded: NIODeadline.now().uptimeNanoseconds / 1_000_000)
            switch try handshake?.receive(&input, time: time, using: &generator) {
            case .awaitBytes, nil:
                return
            case .send(let reply):
                context?.write(wrapOutboundOut(reply), promise: nil)
            case .finished:
                handshake = nil
                lastLife = .now()
                scheduleDeadline()
            }
        }
        while !isClosing, let message = try decoder.decode(buffer: &input) { try receive(message) }
        // What is left is less than a chunk's header; kept in its own storage, or the input would grow with the stream.
        input = input.readableBytes == 0 ? ByteBuffer() : ByteBuffer(bytes: input.readableBytesView)
    }

    private func receive(_ raw: RawMessage) throws(RTMPError) {
        let action = session.receive(
            try RTMPMessage(raw, limits: limits), timestamp: raw.timestamp, messageStreamID: raw.messageStreamID)
        switch action {
        case .video(let payload, let timestamp):
            take(try media.video(payload, timestamp: timestamp))
        case .audio(let payload, let timestamp):
            take(try media.audio(payload, timestamp: timestamp))
        case .metadata(let metadata):
            take(.declared(MediaReader.declaration(metadata)))
        case .split(var aggregate):
            while !isClosing, let message = try aggregate.next(limits: limits) { try receive(message) }
        default:
            run(action)
        }
    }

    private func take(_ result: MediaReader.Result) {
        switch result {
        case .nothing: break
        case .event(let event): events.append(event)
        case .unusable(let reason):
            logger.warning("track not taken", metadata: ["reason": "\(reason)"])
        }
    }

    private func take(_ event: PublisherEvent) {
        events.append(event)
    }

    private func deliver() {
        guard !events.isEmpty, let context else { return }
        if let publish {
            deliveries += 1
            let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
            let eventLoop = context.eventLoop
            publish.broadcast.receive(events, epoch: publish.epoch) {
                if eventLoop.inEventLoop {
                    bound.value.delivered()
                } else {
                    eventLoop.execute { bound.value.delivered() }
                }
            }
        }
        events.removeAll(keepingCapacity: true)
    }

    private func delivered() {
        deliveries -= 1
        guard isReadHeld, deliveries < Self.deliveriesLimit else { return }
        isReadHeld = false
        context?.read()
    }

    /// A publisher that sends faster than its broadcast can take waits in its own socket.
    func read(context: ChannelHandlerContext) {
        if deliveries < Self.deliveriesLimit { context.read() } else { isReadHeld = true }
    }

    // MARK: Doing what the session decides

    private func run(_ action: PublisherSession.Action) {
        switch action {
        case .none, .video, .audio, .metadata, .split:
            break
        case .send(let messages):
            send(messages)
        case .connectRequested:
            run(session.connectAccepted())
        case .publishRequested(let request):
            admit(request)
        case .unpublish(let messages):
            send(messages)
            deliver()
            leave()
            decoder.partialBytesLimit = limits.unacceptedPartialBytes
            lastLife = .now()
            scheduleDeadline()
        case .sendThenClose(let messages, let error):
            report(error)
            send(messages)
            beginClosing(after: limits.refusalLinger)
        case .close(let error):
            close(breaking: error)
        }
    }

    private func admit(_ request: PublishRequest) {
        guard let context else { return }
        guard let name = StreamName(app: request.app, stream: request.streamName) else {
            return run(session.publishRefused(.badStreamName))
        }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        let admission = registry.admit(
            name, on: eventLoop, unixMilliseconds: IngestContext.unixMilliseconds,
            close: { reason in eventLoop.execute { bound.value.endPublish(reason) } })
        switch admission {
        case .accepted(let broadcast, let epoch):
            publish = (name, broadcast, epoch)
            media = MediaReader()
            logger[metadataKey: "stream"] = "\(name.path)"
            logger.info("publisher accepted", metadata: ["epoch": "\(epoch)"])
            ingest.publishers.changed(by: 1, ingest.metrics.publishers)
            decoder.partialBytesLimit = limits.partialBytes
            run(session.publishAccepted())
            lastLife = .now()
            scheduleDeadline()
        case .refused(let reason):
            run(session.publishRefused(reason))
        }
    }

    /// The registry, or the ingest's end, takes the publish away.
    private func endPublish(_ reason: RefusalReason) {
        guard !isClosing else { return }
        run(session.publishRefused(reason))
        context?.flush()
    }

    private func leave() {
        guard let publish else { return }
        self.publish = nil
        ingest.publishers.changed(by: -1, ingest.metrics.publishers)
        registry.publisherLeft(publish.name, epoch: publish.epoch)
    }

    /// A peer that reads nothing, as librtmp does while it publishes, gets no further answers once its socket is full.
    private func send(_ messages: [OutgoingMessage]) {
        guard let context, !messages.isEmpty, context.channel.isWritable else { return }
        var bytes = context.channel.allocator.buffer(capacity: 512)
        do throws(RTMPError) {
            for message in messages { try encoder.encode(message.raw, into: &bytes) }
        } catch {
            return close(breaking: error)
        }
        context.write(wrapOutboundOut(bytes), promise: nil)
    }

    // MARK: Ends

    private func report(_ error: RTMPError) {
        if case .refused(let reason) = error {
            ingest.metrics.refusal(reason: reason.rawValue)
            logger.info("publisher refused", metadata: ["reason": "\(error.description)"])
        } else {
            ingest.metrics.violation(rule: error.label)
            logger.warning("connection closed", metadata: ["rule": "\(error.label)", "reason": "\(error.description)"])
        }
    }

    private func close(breaking error: RTMPError) {
        guard !isClosing else { return }
        report(error)
        beginClosing(after: .zero)
    }

    /// Closes after a moment in which what is written may arrive; what still comes in is thrown away.
    private func beginClosing(after linger: Duration) {
        isClosing = true
        input = ByteBuffer()
        deliver()
        leave()
        guard let context else { return }
        timer?.cancel()
        if linger == .zero { return context.close(promise: nil) }
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(linger)) { [weak self] in
            self?.context?.close(promise: nil)
        }
    }

    /// One timer for all deadlines: life just moves `lastLife`, and the timer looks at it when it fires.
    private func scheduleDeadline() {
        timer?.cancel()
        guard let context, !isClosing else { return }
        guard let limit = handshake != nil ? limits.handshakeDeadline : session.deadline else { return }
        let left = lastLife + TimeAmount(limit) - .now()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: max(left, .zero)) { [weak self] in
            self?.deadlineReached(limit)
        }
    }

    private func deadlineReached(_ limit: Duration) {
        guard lastLife + TimeAmount(limit) <= .now() else { return scheduleDeadline() }
        if handshake != nil { return close(breaking: .handshakeDeadlinePassed) }
        run(session.deadlinePassed())
    }
}
