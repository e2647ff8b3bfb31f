import NIOCore
import NIOHTTP1
import OriginStore
import Synchronization

extension HTTP1Connection: ExchangeWire {
    /// Bytes of a body that are copied for a reader at a time, where the kernel does not take them from where they are.
    private static var copiedBytes: Int { 32 << 10 }
    /// As many as make the channel wait for the socket.
    private static var waitingBytes: Int { 4 << 10 }
    /// Bytes given to the channel between two flushes, before which it does not say that it has too many.
    private static var unflushedLimit: Int { 64 << 10 }

    var eventLoop: any EventLoop { channel.eventLoop }

    var isWritable: Bool {
        if isBroken { return false }
        return queuedWrites == 0 || takesCopies && unflushedBytes < Self.unflushedLimit && channel.isWritable
    }

    /// Whether the channel is given copies ahead of what the socket takes: what is encrypted is a copy.
    private var takesCopies: Bool { socket == nil && !origin.hasManyCopies }

    var takesGrowingBodies: Bool { version.minor > 0 }

    /// A reader is only given less at a time.
    var hasManyCopies: Bool { false }

    func expectBody() { door.expectBody() }

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

    func send(_ chunk: ObjectChunk, isFollowed: Bool) {
        sentBytes += chunk.payload.readableBytes
        put(chunk.framed, isFollowed: isFollowed)
    }

    func send(_ part: inout BodyPart) {
        let count = part.count
        if queuedWrites == 0, let socket {
            part.removeFirst(socket.send(part))
        }
        if part.count > 0 {
            // The channel tells when the socket takes more only of what it has to write itself.
            guard let bytes = part.prefix(takesCopies ? Self.copiedBytes : Self.waitingBytes) else { return }
            part.removeFirst(bytes.readableBytes)
            write(bytes, isCopy: true)
        }
        sentBytes += count - part.count
    }

    /// Writes bytes to the socket itself if nothing is ahead of them, else behind what is queued.
    private func put(_ bytes: ByteBuffer, isFollowed: Bool) {
        guard queuedWrites == 0, let socket else { return write(bytes) }
        let sent = socket.send(bytes, isFollowed: isFollowed)
        guard sent < bytes.readableBytes else { return }
        write(bytes.getSlice(at: bytes.readerIndex + sent, length: bytes.readableBytes - sent) ?? ByteBuffer())
    }

    /// - Parameter isCopy: whether nobody else holds these bytes; TLS makes a copy of all.
    private func write(_ bytes: ByteBuffer, isCopy: Bool = false) {
        guard let context else { return }
        let written = context.eventLoop.makePromise(of: Void.self)
        let copied = isCopy || socket == nil ? bytes.readableBytes : 0
        if queuedWrites == 0 { lastWrite = .now() }
        queuedWrites += 1
        unflushedBytes += bytes.readableBytes
        origin.copiedBytes.wrappingAdd(copied, ordering: .relaxed)
        written.futureResult.assumeIsolated().whenComplete { [self] result in
            // The channel fails writes when it has closed its socket, before it says so.
            if case .failure = result {
                socket = nil
                isBroken = true
            }
            origin.copiedBytes.wrappingSubtract(copied, ordering: .relaxed)
            queuedWrites -= 1
            lastWrite = .now()
            if queuedWrites == 0 { resume() }
        }
        context.write(wrapOutboundOut(bytes), promise: written)
    }

    func end() {
        if framing == .growing { put(ObjectChunk.last, isFollowed: false) }
        exchangeEnded()
    }

    func cut() {
        abort()
    }

    func flush() {
        unflushedBytes = 0
        if queuedWrites > 0 { context?.flush() }
    }
}
