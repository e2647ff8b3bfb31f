import NIOCore
import NIOPosix
import Synchronization

/// Stands between a cache and the origin, passes on what they say, and writes down what is asked for.
final class OriginRecorder: Sendable {
    private let listener: any Channel
    private let log: Log

    private final class Log: Sendable {
        let requestLines = Mutex<[String]>([])
        let connections = Mutex<[any Channel]>([])
    }

    init(inFrontOf origin: Origin) async throws {
        let log = Log()
        let port = origin.port
        listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1_024)
            .childChannelInitializer { cache in
                log.connections.withLock { $0.append(cache) }
                return ClientBootstrap(group: cache.eventLoop).connect(host: "127.0.0.1", port: port)
                    .flatMapThrowing { origin in
                        try cache.pipeline.syncOperations.addHandler(Relay(to: origin, recordingIn: log))
                        try origin.pipeline.syncOperations.addHandler(Relay(to: cache, recordingIn: nil))
                    }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.log = log
    }

    var port: Int { listener.localAddress?.port ?? 0 }

    /// How often the cache has asked so, by the request's first line.
    func requests(where isMeant: (String) -> Bool) -> Int {
        log.requestLines.withLock { lines in lines.count(where: isMeant) }
    }

    /// Closes everything: to the cache the origin is gone.
    func close() async throws {
        try await listener.close()
        for connection in log.connections.withLock({ $0 }) { connection.close(promise: nil) }
    }

    private final class Relay: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let other: any Channel
        private let log: Log?

        init(to other: any Channel, recordingIn log: Log?) {
            self.other = other
            self.log = log
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = unwrapInboundIn(data)
            // A cache's requests have no body and do not overtake each other: what comes at once is one request.
            if let log, let line = String(buffer: bytes).split(separator: "\r\n").first {
                log.requestLines.withLock { $0.append(String(line)) }
            }
            other.writeAndFlush(bytes, promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) { other.close(promise: nil) }

        /// Whoever breaks off here has the other side closed as well.
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
