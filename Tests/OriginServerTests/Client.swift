import NIOCore
import NIOPosix

/// A TCP connection that sends what it is told and keeps what comes until it is asked for.
struct Client: Sendable {
    /// The server did not send in time what the test waits for; with what it sent instead.
    struct Missing: Error {
        let received: String
    }

    private static let deadline = TimeAmount.seconds(60)

    private let channel: any Channel
    private let collector: NIOLoopBound<Collector>

    init(to address: SocketAddress, on group: any EventLoopGroup) async throws {
        let bootstrap = ClientBootstrap(group: group).connectTimeout(Self.deadline).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(Collector())
            }
        }
        let channel = try await bootstrap.connect(to: address).get()
        self.channel = channel
        collector = try await channel.eventLoop.submit {
            NIOLoopBound(
                try channel.pipeline.syncOperations.handler(type: Collector.self), eventLoop: channel.eventLoop)
        }.get()
    }

    func send(_ text: String) { channel.writeAndFlush(ByteBuffer(string: text), promise: nil) }

    func send(_ bytes: ByteBuffer) { channel.writeAndFlush(bytes, promise: nil) }

    func close() { channel.close(promise: nil) }

    /// Everything up to and with this text.
    @discardableResult
    func receive(_ end: String) async throws -> String { try await take(.through(end)) }

    /// Everything until the server closes.
    func receiveAll() async throws -> String { try await take(.all) }

    private func take(_ part: Part) async throws -> String {
        let promise = channel.eventLoop.makePromise(of: String.self)
        let deadline = channel.eventLoop.scheduleTask(in: Self.deadline) {
            promise.fail(Missing(received: String(buffer: collector.value.received)))
        }
        channel.eventLoop.execute { collector.value.want(part, promise) }
        defer { deadline.cancel() }
        return try await promise.futureResult.get()
    }

    private enum Part {
        case through(String)
        case all
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private(set) var received = ByteBuffer()
        private var isClosed = false
        private var wanted: (part: Part, promise: EventLoopPromise<String>)?
        /// Bytes in which the wanted text was looked for already.
        private var searchedBytes = 0

        func want(_ part: Part, _ promise: EventLoopPromise<String>) {
            wanted = (part, promise)
            searchedBytes = 0
            serve()
        }

        private func serve() {
            guard let (part, promise) = wanted else { return }
            if let length = length(of: part), let text = received.readString(length: length) {
                wanted = nil
                promise.succeed(text)
            } else if isClosed {
                wanted = nil
                promise.fail(Missing(received: String(buffer: received)))
            }
        }

        private func length(of part: Part) -> Int? {
            switch part {
            case .all: return isClosed ? received.readableBytes : nil
            case .through(let end):
                let start = max(0, searchedBytes - end.utf8.count)
                searchedBytes = received.readableBytes
                let view = received.readableBytesView
                return view[(view.startIndex + start)...].firstRange(of: end.utf8).map {
                    $0.upperBound - view.startIndex
                }
            }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received.writeImmutableBuffer(unwrapInboundIn(data))
        }

        func channelReadComplete(context: ChannelHandlerContext) { serve() }

        func channelInactive(context: ChannelHandlerContext) {
            isClosed = true
            serve()
        }

        /// A reset counts as the end: what has come by then is what counts.
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
