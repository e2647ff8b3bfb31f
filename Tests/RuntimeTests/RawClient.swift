import NIOCore
import NIOPosix

/// A TCP connection that keeps what comes, as text, until the peer closes.
struct RawClient {
    struct Overdue: Error {}

    private let channel: any Channel
    private let received: EventLoopPromise<String>

    init(to address: SocketAddress?, on group: any EventLoopGroup) async throws {
        guard let address else { throw ChannelError.unknownLocalAddress }
        let promise = group.next().makePromise(of: String.self)
        received = promise
        channel = try await ClientBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(promise))
                }
            }
            .connect(to: address).get()
    }

    /// A peer that has closed already takes nothing: what it has sent is what counts. Throws when half a minute is over.
    func exchange(_ request: String) async throws -> String {
        channel.writeAndFlush(ByteBuffer(string: request), promise: nil)
        let timer = channel.eventLoop.scheduleTask(in: .seconds(30)) { [received] in received.fail(Overdue()) }
        defer { timer.cancel() }
        return try await received.futureResult.get()
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let promise: EventLoopPromise<String>
        private var text = ""

        init(_ promise: EventLoopPromise<String>) { self.promise = promise }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            text += String(buffer: unwrapInboundIn(data))
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        func channelInactive(context: ChannelHandlerContext) { promise.succeed(text) }
    }
}
