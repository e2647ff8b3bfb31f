package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Transcode
package import Upload

/// The ingest: takes RTMP publishers and other inputs, and pushes what they send, until graceful shutdown.
package struct IngestServer: Service {
    private let configuration: IngestConfiguration
    private let uploader: Uploader
    private let logger: Logger
    private let onListening: @Sendable () -> Void

    /// How long finished segments may take to reach their destinations when the ingest stops.
    private static let drainLimit = Duration.seconds(5)

    /// - Parameter onListening: called once publishers can connect.
    package init(
        configuration: IngestConfiguration, uploader: Uploader, logger: Logger,
        onListening: @escaping @Sendable () -> Void = {}
    ) {
        self.configuration = configuration
        self.uploader = uploader
        self.logger = logger
        self.onListening = onListening
    }

    package func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.threads)
        // What it calls holds the uploader: they would keep each other.
        defer { uploader.onSuperseded = { _, _ in } }
        do {
            try await serve(on: group)
        } catch {
            await uploader.shutdown(within: .zero)
            try? await group.shutdownGracefully()
            throw error
        }
        await uploader.shutdown(within: Self.drainLimit)
        try await group.shutdownGracefully()
    }

    private func serve(on group: MultiThreadedEventLoopGroup) async throws {
        let ingest = IngestContext(configuration: configuration, uploader: uploader, logger: logger)
        let registry = BroadcastRegistry(ingest: ingest)
        uploader.onSuperseded = { path, epoch in
            registry.superseded(StreamName(folderOf: path), epoch: epoch)
        }
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        RTMPConnectionHandler(ingest: ingest, registry: registry))
                }
            }
        let listener = try await listen(bootstrap)
        let address = listener.localAddress
        logger.info(
            "listening for RTMP",
            metadata: ["address": "\(address?.ipAddress ?? "unknown"):\(address?.port ?? 0)"])
        onListening()
        await withDiscardingTaskGroup { publishers in
            for input in configuration.inputs {
                let publisher = InputPublisher(
                    input, isPaced: configuration.paceInputs, ingest: ingest, registry: registry,
                    eventLoop: group.next())
                publishers.addTask { await publisher.run() }
            }
            if let stream = configuration.testPattern, let name = StreamName(publishedAs: stream) {
                let pattern = TestPattern(name, ingest: ingest, registry: registry, eventLoop: group.next())
                publishers.addTask { await pattern.run() }
            }
            try? await gracefulShutdown()
            publishers.cancelAll()
            // Not behind the inputs: one that looks a name up cannot be hurried.
            try? await listener.close()
            await registry.drain()
        }
        await ingest.transcodeThreads.shutdown()
    }

    private func listen(_ bootstrap: ServerBootstrap) async throws -> any Channel {
        do {
            return try await bootstrap.bind(host: configuration.rtmpHost, port: configuration.rtmpPort).get()
        } catch {
            throw ListenError(cause: error)
        }
    }
}

/// The address for RTMP could not be listened on.
package struct ListenError: Error {
    package let cause: any Error
}
