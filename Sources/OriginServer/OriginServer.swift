package import Logging
package import NIOCore
import NIOPosix
package import OriginStore
import ServiceLifecycle
import Synchronization

/// The origin: takes uploads and serves them while they grow, until graceful shutdown.
package final class OriginServer: Service {
    private let configuration: OriginConfiguration
    private let logger: Logger
    private let onListening: @Sendable ([SocketAddress]) -> Void
    package let store: ObjectStore
    private let access: Mutex<AccessRules>
    private let running = Mutex<OriginContext?>(nil)

    /// - Parameters:
    ///   - store: nil makes one that nobody else knows.
    ///   - onListening: told the addresses once all are bound, ``OriginConfiguration/listen`` first.
    /// - Throws: ``OriginFileError`` where a file cannot be used.
    package init(
        configuration: OriginConfiguration, store: ObjectStore? = nil, logger: Logger,
        onListening: @escaping @Sendable ([SocketAddress]) -> Void = { _ in }
    ) throws(OriginFileError) {
        self.configuration = configuration
        self.logger = logger
        self.onListening = onListening
        self.store = store ?? ObjectStore(configuration: configuration.store)
        access = Mutex(try AccessRules(configuration.files))
    }

    /// Reads the files of tokens, keys, rules and certificates anew; where one cannot be used, what was read before
    /// holds on. Connections stay.
    package func reload() {
        do throws(OriginFileError) {
            let access = try AccessRules(configuration.files)
            self.access.withLock { $0 = access }
            running.withLock { $0 }?.replace(access)
            logger.info("files read again")
        } catch {
            logger.error("files not read again; what was read before holds", metadata: ["error": "\(error)"])
        }
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
        let origin = OriginContext(
            configuration: configuration, access: access.withLock { $0 }, store: store, logger: logger,
            eventLoops: group.makeIterator())
        running.withLock { $0 = origin }
        // They may have been read again meanwhile.
        origin.replace(access.withLock { $0 })
        origin.connections.keepTime(each: configuration.tick)
        defer { running.withLock { $0 = nil } }
        let listeners = try await listen(on: group, origin)
        onListening(listeners.compactMap(\.localAddress))
        let interval = configuration.sweepInterval
        // To let go of what thousands of streams had takes its time, in which connections are served.
        let timer = group.next()
        let sweeping = timer.scheduleRepeatedAsyncTask(initialDelay: interval, delay: interval) { _ in
            NIOThreadPool.singleton.runIfActive(eventLoop: timer) { origin.sweep(now: .now()) }
        }
        let lost = await firstLost(of: listeners)
        for listener in listeners { try? await listener.close() }
        if let lost { throw lost }
        if !Task.isCancelled {
            logger.info("draining", metadata: ["connections": "\(origin.connections.count)"])
            try await origin.connections.drain(within: configuration.drainLimit, on: group.next())
        }
        sweeping.cancel()
    }

    /// Waits until a listener has closed by itself, as after an error of the network; nil once the origin is to stop.
    private func firstLost(of listeners: [any Channel]) async -> ListenerLost? {
        let (losses, loss) = AsyncStream.makeStream(of: ListenerLost.self)
        for listener in listeners {
            let address = text(listener.localAddress)
            listener.closeFuture.whenComplete { _ in loss.yield(ListenerLost(address: address)) }
        }
        return await losses.cancelOnGracefulShutdown().first { _ in true }
    }

    private func listen(
        on group: MultiThreadedEventLoopGroup, _ origin: OriginContext
    ) async throws -> [any Channel] {
        let isEncrypted = configuration.files.certificate != nil
        let publish = configuration.publishListen
        var listeners = [
            try await listen(
                configuration.listen, on: group, origin,
                ListenerRole(mayRead: true, mayPublish: publish == nil, isEncrypted: isEncrypted))
        ]
        if let publish {
            let role = ListenerRole(mayRead: false, mayPublish: true, isEncrypted: isEncrypted)
            listeners.append(try await listen(publish, on: group, origin, role))
        }
        return listeners
    }

    private func listen(
        _ endpoint: SocketEndpoint, on group: MultiThreadedEventLoopGroup, _ origin: OriginContext,
        _ role: ListenerRole
    ) async throws -> any Channel {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.recvAllocator, value: Self.receiveBuffers)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            // The door closes whom the peer has left, in turn; with TLS the channel does, at once.
            .childChannelOption(.allowRemoteHalfClosure, value: !role.isEncrypted)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try ConnectionDoor.open(channel, origin, role) }
            }
        do {
            let listener = try await bootstrap.bind(host: endpoint.host, port: endpoint.port).get()
            logger.info(
                "listening",
                metadata: [
                    "address": "\(text(listener.localAddress))", "publish": "\(role.mayPublish)",
                    "tls": "\(role.isEncrypted)",
                ])
            return listener
        } catch {
            throw ListenError(endpoint: endpoint, isForPublishing: !role.mayRead, cause: error)
        }
    }

    /// A connection keeps its buffer: one for a request is enough.
    private static let receiveBuffers = AdaptiveRecvByteBufferAllocator(
        minimum: ConnectionDoor.smallestRead, initial: ConnectionDoor.smallestRead, maximum: ConnectionDoor.requestBytes
    )

    private func text(_ address: SocketAddress?) -> String {
        guard let address else { return "unknown" }
        return "\(address.ipAddress ?? "unknown"):\(address.port ?? 0)"
    }
}

/// A listener that the system has closed: nobody can connect any more.
struct ListenerLost: Error, CustomStringConvertible {
    let address: String

    var description: String { "the listener of \(address) was closed by the system" }
}

/// An address that could not be listened on.
package struct ListenError: Error {
    package let endpoint: SocketEndpoint
    package let isForPublishing: Bool
    package let cause: any Error
}
