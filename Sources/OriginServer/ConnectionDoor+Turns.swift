import NIOCore

/// What is read, and when it is served: there are peers for whom an event loop would let all others wait.
extension ConnectionDoor {
    /// Requests that one read may bring, for the next to follow at once.
    private static let modestRequests = 16
    /// Who sends less at a time asks for little.
    private static let modestBytes = smallestRead

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        reads &+= 1
        isReading = true
        let bytes = unwrapInboundIn(data)
        // Where the peer has ended its side, the channel reads all there is, whether asked or not.
        isLeaving = !isReadAsked
        if isUploading {
            take(bytes, context)
        } else if isLeaving {
            takeLast(bytes, context)
        } else if mayWait(bytes), !origin.connections.hasTime(on: context.eventLoop) {
            late = bytes
            lateSince = .now()
            let isHandshake = listener.isEncrypted && !isChosen
            wait(as: isHandshake ? .handshake : bytes.readableBytes < Self.modestBytes ? .modest : .greedy, context)
        } else {
            take(bytes, context)
        }
    }

    private var isUploading: Bool {
        takesBodies && (connection?.isUploading ?? streams.values.contains { $0.isUploading })
    }

    /// Whether it is not the beginning of an upload, as far as can be seen.
    private func mayWait(_ bytes: ByteBuffer) -> Bool {
        guard connection != nil || !listener.isEncrypted && !isChosen else { return true }
        let start = bytes.readableBytesView
        return !start.starts(with: "PU".utf8) && !start.starts(with: "PO".utf8)
    }

    /// There are peers who end their side without waiting for the answer, uploaders too. No answer is owed to who goes
    /// before a handshake has begun, says so over HTTP/2, or asked so much before that the next read waits; unless it has
    /// uploaded.
    private func takeLast(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        guard takesBodies || (isChosen ? connection != nil : hasAnswered || !listener.isEncrypted),
            takesBodies || late != nil || !isWaiting
        else { return }
        isWaiting = false
        var all = late.take() ?? ByteBuffer()
        all.writeImmutableBuffer(bytes)
        take(all, context)
    }

    private func wait(as turn: ConnectionSet.Turn, _ context: ChannelHandlerContext) {
        isWaiting = true
        origin.connections.wait(self, as: turn, on: context.eventLoop)
    }

    private func take(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        readRequests = 0
        guard isChosen || listener.isEncrypted else { return choose(bytes, context) }
        context.fireChannelRead(NIOAny(bytes))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if isReading {
            isReadAsked = false
        } else if late != nil {
            // The channel says so too where there was nothing to be read but the end.
            isLeaving = true
            takeLast(ByteBuffer(), context)
        }
        // TLS gives what it has read only now.
        context.fireChannelReadComplete()
        isReading = false
    }

    /// Who sends many requests at a time is read in turn with others who do, so that all others go before them.
    func read(context: ChannelHandlerContext) {
        // The channel asks again when it has given all it has read.
        guard !isReading, !isWaiting, !isReadAsked else { return }
        guard readRequests > Self.modestRequests, isOpen else {
            isReadAsked = true
            return context.read()
        }
        wait(as: .greedy, context)
    }

    /// It is this connection's turn.
    func takeTurn() {
        guard let context else { return }
        isWaiting = false
        readRequests = 0
        guard let bytes = late.take() else { return read(context: context) }
        opened = opened + (.now() - lateSince)
        isReading = true
        take(bytes, context)
        guard isOpen else { return }
        channelReadComplete(context: context)
        context.channel.read()
    }
}
