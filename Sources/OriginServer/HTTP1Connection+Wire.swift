import NIOCore
import NIOHTTP1
import OriginStore

extension HTTP1Connection: ExchangeWire {
    /// Bytes of a body that wait for the socket in the channel's own queue at a time.
    private static var queuedBytes: Int { 32 << 10 }
    /// Bytes given to the channel between two flushes, before which it does not say that it has too many.
    private static var unflushedLimit: Int { 64 << 10 }

    var eventLoop: any EventLoop { channel.eventLoop }

    var isWritable: Bool {
        queuedWrites == 0 || unflushedBytes < Self.unflushedLimit && channel.isWritable
    }

    var takesGrowingBodies: Bool { version.minor > 0 }

    var hasManyCopies: Bool { false }

    func continueRequest() {
        guard version.minor > 0 else { return }
        put(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n"), isFollowed: false)
        flush()
    }

    func closeAfterResponse() {
        keepsAlive = false
    }

    func start(_ head: ResponseHead, _ framing: ResponseFraming) {
        self.framing = framing
        put(bytes(of: head, framing), isFollowed: framing == .length)
    }

    func start(
        sharing shared: SharedHead, unixTime: Int, _ framing: ResponseFraming, isFollowed: Bool,
        _ head: () -> ResponseHead
    ) {
        guard keepsAlive else { return start(head(), framing) }
        self.framing = framing
        let bytes = shared.bytes(unixTime: unixTime, isWhole: framing == .length) { self.bytes(of: head(), framing) }
        put(bytes, isFollowed: isFollowed)
    }

    private func bytes(of head: ResponseHead, _ framing: ResponseFraming) -> ByteBuffer {
        var bytes = ByteBufferAllocator().buffer(capacity: 768)
        bytes.writeString("HTTP/1.1 \(head.status.code) \(head.status.reasonPhrase)\r\n")
        for (name, value) in head.fields {
            bytes.writeString(name)
            bytes.writeStaticString(": ")
            bytes.writeString(value)
            bytes.writeStaticString("\r\n")
        }
        if framing == .growing { bytes.writeStaticString("Transfer-Encoding: chunked\r\n") }
        if !keepsAlive { bytes.writeStaticString("Connection: close\r\n") }
        bytes.writeStaticString("\r\n")
        return bytes
    }

    func send(_ chunk: ObjectChunk) {
        put(chunk.framed, isFollowed: false)
    }

    func send(_ part: inout BodyPart) {
        if queuedWrites == 0, let socket, channel.isActive {
            part.removeFirst(socket.send(part))
        }
        guard part.count > 0 else { return }
        // The channel tells when the socket takes more only for what it has to write itself.
        guard let bytes = part.prefix(Self.queuedBytes) else { return cut() }
        part.removeFirst(bytes.readableBytes)
        write(bytes)
    }

    /// Writes bytes to the socket itself if nothing is ahead of them, else behind what is queued.
    private func put(_ bytes: ByteBuffer, isFollowed: Bool) {
        guard queuedWrites == 0, let socket, channel.isActive else { return write(bytes) }
        let sent = socket.send(bytes, isFollowed: isFollowed)
        guard sent < bytes.readableBytes else { return }
        write(bytes.getSlice(at: bytes.readerIndex + sent, length: bytes.readableBytes - sent) ?? ByteBuffer())
    }

    private func write(_ bytes: ByteBuffer) {
        guard let context else { return }
        let written = context.eventLoop.makePromise(of: Void.self)
        queuedWrites += 1
        unflushedBytes += bytes.readableBytes
        written.futureResult.assumeIsolated().whenComplete { [weak self] _ in self?.queuedWrites -= 1 }
        context.write(wrapOutboundOut(bytes), promise: written)
    }

    func end() {
        if framing == .growing { put(ObjectChunk.last, isFollowed: false) }
        exchangeEnded()
    }

    func cut() {
        abandon()
        context?.close(promise: nil)
    }

    func flush() {
        unflushedBytes = 0
        if queuedWrites > 0 { context?.flush() }
    }
}
