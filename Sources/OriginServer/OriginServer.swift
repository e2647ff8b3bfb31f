package import Logging
package import NIOCore
import NIOHTTP1
import NIOPosix
package import OriginStore
import ServiceLifecycle

/// The origin: takes uploads and serves them while they grow, until graceful shutdown.
package struct OriginServer: Service {
    private let configuration: OriginConfiguration
    private let logger: Logger
    private let onListening: @Sendable ([SocketAddress]) -> Void
    package let store: ObjectStore

    /// - Parameter onListening: told the addresses once all are bound, ``OriginConfiguration/listen`` first.
    package init(
        configuration: OriginConfiguration, logger: Logger,
        onListening: @escaping @Sendable ([SocketAddress]) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.logger = logger
        self.onListening = onListening
        store = ObjectStore(configuration: configuration.store)
    }

    package func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.threads)
        do {
            try await serve(on: group)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
    }

    private func serve(on group: MultiThreadedEventLoopGroup) async throws {
        let origin = OriginContext(configuration: configuration, store: store, logger: logger)
        let separate = configuration.publishListen
        let reading = try await listen(
            configuration.listen, on: group, origin, mayRead: true, mayPublish: separate == nil)
        logger.info("listening", metadata: ["address": "\(address(reading))", "publish": "\(separate == nil)"])
        var listeners = [reading]
        if let separate {
            let publishing = try await listen(separate, on: group, origin, mayRead: false, mayPublish: true)
            logger.info("listening", metadata: ["address": "\(address(publishing))", "publish": "true"])
            listeners.append(publishing)
        }
        onListening(listeners.compactMap(\.localAddress))
        let interval = configuration.sweepInterval
        let sweeping = group.next().scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            origin.sweep(now: .now())
        }
        try? await gracefulShutdown()
        sweeping.cancel()
        for listener in listeners { try await listener.close() }
    }

    private func listen(
        _ endpoint: SocketEndpoint, on group: MultiThreadedEventLoopGroup, _ origin: OriginContext, mayRead: Bool,
        mayPublish: Bool
    ) async throws -> any Channel {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(
                        ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)))
                    try pipeline.addHandler(
                        ConnectionHandler(origin: origin, mayRead: mayRead, mayPublish: mayPublish))
                }
            }
        do {
            return try await bootstrap.bind(host: endpoint.host, port: endpoint.port).get()
        } catch {
            throw ListenError(endpoint: endpoint, isForPublishing: !mayRead, cause: error)
        }
    }

    private func address(_ channel: any Channel) -> String {
        guard let address = channel.localAddress else { return "unknown" }
        return "\(address.ipAddress ?? "unknown"):\(address.port ?? 0)"
    }
}

/// An address that could not be listened on.
package struct ListenError: Error {
    package let endpoint: SocketEndpoint
    package let isForPublishing: Bool
    package let cause: any Error
}
