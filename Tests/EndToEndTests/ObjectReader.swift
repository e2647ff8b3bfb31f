import NIOCore
import NIOHTTP1
import NIOPosix

/// What a reader of an object got, compared with what it should be while it came.
struct ObjectReading: Sendable {
    var status = 0
    /// Names in lower case.
    var headers: [String: String] = [:]
    var bodyBytes = 0
    /// No byte differed from the expected object's at the same place, and none came behind its end.
    var isAsExpected = true
    /// It came to the end that HTTP gives a body; otherwise the connection was closed before.
    var hasEnded = false
    /// From before the connection was made to the body's first byte.
    var firstByte: Duration?

    /// - Parameter onBody: told how much of the body there is, whenever more has come.
    static func read(
        _ path: String, at port: Int, expecting object: ByteBuffer, onBody: @escaping @Sendable (Int) -> Void = { _ in }
    ) async throws -> ObjectReading {
        struct TooSlow: Error {}
        return try await withDeadline(.seconds(30), or: TooSlow()) {
            try await reading(path, at: port, expecting: object, onBody)
        }
    }

    private static func reading(
        _ path: String, at port: Int, expecting object: ByteBuffer, _ onBody: @escaping @Sendable (Int) -> Void
    ) async throws -> ObjectReading {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let done = loop.makePromise(of: ObjectReading.self)
        let start = ContinuousClock.now
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: loop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHTTPClientHandlers()
                        try channel.pipeline.syncOperations.addHandler(Handler(object, start, done, onBody))
                    }
                }
                .connect(host: "127.0.0.1", port: port).get()
        } catch {
            done.fail(error)
            throw error
        }
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: path, headers: ["Host": "a"])
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
        return try await withTaskCancellationHandler {
            try await done.futureResult.get()
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPClientResponsePart

        private let object: ByteBuffer
        private let start: ContinuousClock.Instant
        private let done: EventLoopPromise<ObjectReading>
        private let onBody: @Sendable (Int) -> Void
        private var reading = ObjectReading()

        init(
            _ object: ByteBuffer, _ start: ContinuousClock.Instant, _ done: EventLoopPromise<ObjectReading>,
            _ onBody: @escaping @Sendable (Int) -> Void
        ) {
            self.object = object
            self.start = start
            self.done = done
            self.onBody = onBody
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                reading.status = Int(head.status.code)
                for (name, value) in head.headers { reading.headers[name.lowercased()] = value }
            case .body(let bytes):
                if reading.firstByte == nil { reading.firstByte = .now - start }
                let expected = object.getSlice(at: reading.bodyBytes, length: bytes.readableBytes)
                if expected != bytes { reading.isAsExpected = false }
                reading.bodyBytes += bytes.readableBytes
                onBody(reading.bodyBytes)
            case .end:
                reading.hasEnded = true
                context.close(promise: nil)
            }
        }

        func channelInactive(context: ChannelHandlerContext) { done.succeed(reading) }

        /// A body without its end is what these tests are about: it shows in the reading.
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
