import NIOCore
import NIOHTTP1
import NIOHTTP2

/// The handlers of each version of HTTP.
extension ConnectionDoor {
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

    func speakHTTP1(_ channel: any Channel) throws {
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

    func speakHTTP2(_ channel: any Channel) throws {
        guard !isLeaving else { return close() }
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
}
