import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// An HTTP server beside the origin that takes every upload and keeps all versions of all playlists.
final class PlaylistSink: Sendable {
    private let channel: any Channel
    private let received: Received

    final class Received: Sendable {
        let bodies = Mutex<[(path: String, body: String)]>([])
    }

    init() async throws {
        let received = Received()
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(received))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.received = received
    }

    var url: String { "http://127.0.0.1:\(channel.localAddress?.port ?? 0)" }

    /// Every version of a playlist, in the order they came.
    func versions(of path: String) -> [String] {
        received.bodies.withLock { bodies in bodies.filter { $0.path == path }.map(\.body) }
    }

    /// The paths of everything that was uploaded, once for each upload.
    var paths: [String] { received.bodies.withLock { $0.map(\.path) } }

    func close() async throws { try await channel.close() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let received: Received
        private var path = ""
        private var body = ByteBuffer()

        init(_ received: Received) { self.received = received }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                path = head.uri
                body.clear()
            case .body(let bytes):
                if path.hasSuffix(".m3u8") { body.writeImmutableBuffer(bytes) }
            case .end:
                received.bodies.withLock { $0.append((path, String(buffer: body))) }
                let head = HTTPResponseHead(version: .http1_1, status: .created, headers: ["Content-Length": "0"])
                context.write(wrapOutboundOut(.head(head)), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }
    }
}
