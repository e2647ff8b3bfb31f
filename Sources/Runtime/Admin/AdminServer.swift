package import Logging
package import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle

/// Serves `/metrics`, `/healthz` and `/readyz` to the operator's tools over HTTP/1.1.
package struct AdminServer: Service {
    /// What a connection may send and how long it may last; it carries one request.
    package static let maximumRequestBytes = 16_384
    package static let deadline = TimeAmount.seconds(10)
    package static let maximumConnections = 64

    private let address: HostAndPort
    private let metrics: MetricsRegistry
    private let readiness: Readiness
    private let logger: Logger
    private let eventLoopGroup: any EventLoopGroup
    private let deadline: TimeAmount
    private let connections: ConnectionGuard.Count

    package init(
        address: HostAndPort, metrics: MetricsRegistry, readiness: Readiness, logger: Logger,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        deadline: TimeAmount = deadline, maximumConnections: Int = maximumConnections
    ) {
        self.address = address
        self.metrics = metrics
        self.readiness = readiness
        self.logger = logger
        self.eventLoopGroup = eventLoopGroup
        self.deadline = deadline
        connections = ConnectionGuard.Count(limit: maximumConnections)
    }

    /// Listens until told to stop. Throws `ListenFailure` where the address cannot be had.
    package func run() async throws {
        let channel = try await bind()
        await cancelWhenGracefulShutdown {
            await withTaskCancellationHandler {
                _ = try? await channel.closeFuture.get()
            } onCancel: {
                channel.close(promise: nil)
            }
        }
    }

    /// Starts to listen, and says in the log where.
    package func bind() async throws -> any Channel {
        let (metrics, readiness, connections, deadline) = (metrics, readiness, connections, deadline)
        let bootstrap = ServerBootstrap(group: eventLoopGroup)
            .serverChannelOption(.backlog, value: 64)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(
                        ConnectionGuard(
                            count: connections, maximumBytes: Self.maximumRequestBytes, deadline: deadline))
                    try pipeline.configureHTTPServerPipeline(withErrorHandling: false)
                    try pipeline.addHandler(
                        AdminHandler { request in
                            AdminResponse(
                                method: request.method, uri: request.uri, metrics: metrics, readiness: readiness)
                        })
                }
            }
        do {
            let channel = try await bootstrap.bind(host: address.host, port: address.port).get()
            let bound = HostAndPort(channel.localAddress) ?? address
            logger.info("admin endpoint listening", metadata: ["admin.address": "\(bound)"])
            return channel
        } catch {
            throw ListenFailure(setting: "admin-listen", address: address, error: error)
        }
    }
}
