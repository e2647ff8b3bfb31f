import NIOCore
import NIOPosix
import Synchronization

/// A TCP connection that says what no decent client says.
final class RawConnection: Sendable {
    private let channel: any Channel
    private let handler: Collector

    private final class Collector: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer

        let received = Mutex(ByteBuffer())

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = unwrapInboundIn(data)
            received.withLock { _ = $0.writeImmutableBuffer(bytes) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }

    /// - Parameter reads: whether it takes what the peer sends, or leaves it where it is.
    init(port: Int, reads: Bool = true) async throws {
        let handler = Collector()
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: reads)
            .channelInitializer { channel in channel.pipeline.addHandler(handler) }
            .connect(host: "127.0.0.1", port: port).get()
        self.handler = handler
    }

    var received: [UInt8] { handler.received.withLock { Array($0.readableBytesView) } }

    /// Sends bytes; that the peer has closed by then is no error.
    func send(_ bytes: [UInt8]) async {
        try? await channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    /// Waits until the peer closes; gives what it sent.
    func untilClosed(within limit: Duration = .seconds(20)) async throws -> [UInt8] {
        struct StillOpen: Error {}
        let channel = channel
        try await withDeadline(limit, or: StillOpen()) {
            try await withTaskCancellationHandler {
                try await channel.closeFuture.get()
            } onCancel: {
                channel.close(promise: nil)
            }
        }
        return received
    }

    func close() async {
        try? await channel.close()
    }
}
