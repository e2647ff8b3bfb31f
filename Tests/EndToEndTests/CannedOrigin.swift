import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// An HTTP server that gives each path one response, and counts how often it does.
final class CannedOrigin: Sendable {
    struct Response: Sendable {
        var status = 200
        var headers: [(String, String)]
    }

    private let channel: any Channel
    private let counts: Counts

    private final class Counts: Sendable {
        let requests = Mutex<[String: Int]>([:])
    }

    init(_ responses: [String: Response]) async throws {
        let counts = Counts()
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(responses, counts))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.counts = counts
    }

    var port: Int { channel.localAddress?.port ?? 0 }

    func requests(for path: String) -> Int { counts.requests.withLock { $0[path] ?? 0 } }

    func close() async throws { try await channel.close() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let responses: [String: Response]
        private let counts: Counts

        init(_ responses: [String: Response], _ counts: Counts) {
            self.responses = responses
            self.counts = counts
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard case .head(let request) = unwrapInboundIn(data) else { return }
            counts.requests.withLock { $0[request.uri, default: 0] += 1 }
            let response = responses[request.uri] ?? Response(status: 404, headers: [])
            let body = ByteBuffer(string: "body")
            var headers = HTTPHeaders(response.headers)
            headers.add(name: "Content-Length", value: "\(body.readableBytes)")
            let head = HTTPResponseHead(
                version: .http1_1, status: .init(statusCode: response.status), headers: headers)
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}
