import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import NIOSSL

/// A connection on which HTTP/2 is spoken at once, without asking: by prior knowledge, or inside TLS.
struct HTTP2Connection: Sendable {
    let channel: any Channel
    private let multiplexer: NIOHTTP2Handler.StreamMultiplexer
    private let scheme: String
    /// The code of the GOAWAY that came.
    let goAway: Watched<UInt32?>

    init(to address: SocketAddress, tls: NIOSSLContext? = nil) async throws {
        let goAway = Watched<UInt32?>(nil)
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        (channel, multiplexer) = try await bootstrap.connect(to: address) { channel in
            channel.eventLoop.makeCompletedFuture {
                let pipeline = channel.pipeline.syncOperations
                if let tls {
                    try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: "localhost"))
                }
                let multiplexer = try pipeline.configureHTTP2Pipeline(
                    mode: .client, connectionConfiguration: .init(), streamConfiguration: .init()
                ) { $0.close() }
                try pipeline.addHandler(ConnectionReader(goAway))
                return (channel, multiplexer)
            }
        }
        self.goAway = goAway
        scheme = tls == nil ? "http" : "https"
    }

    func close() { channel.close(promise: nil) }

    /// Waits until the server closes the connection.
    func closed(within limit: TimeAmount = .seconds(30)) async throws {
        let isClosed = Watched(false)
        channel.closeFuture.whenComplete { _ in isClosed.change { $0 = true } }
        try await isClosed.wait(for: "close", within: limit) { $0 ? () : nil }
    }

    /// Begins a request. Where it is paused, its body is not read, and the server's window not opened, until told to.
    func open(_ request: Request, isPaused: Bool = false, isBodyOpen: Bool = false) async throws -> Exchange {
        let inbox = Watched(Response())
        let stream: any Channel = try await channel.eventLoop.flatSubmit { [multiplexer, channel] in
            let promise = channel.eventLoop.makePromise(of: (any Channel).self)
            multiplexer.createStreamChannel(promise: promise) { stream in
                stream.eventLoop.makeCompletedFuture {
                    if isPaused { try stream.syncOptions?.setOption(.autoRead, value: false) }
                    try stream.pipeline.syncOperations.addHandler(StreamReader(inbox))
                }
            }
            return promise.futureResult
        }.get()
        let authority = request.fields.map(Request.split).first { $0.name.lowercased() == "host" }?.value
        var headers = HPACKHeaders([
            (":method", request.method), (":scheme", scheme), (":authority", authority ?? "localhost"),
            (":path", request.path),
        ])
        for field in request.allFields where field.name.lowercased() != "host" {
            headers.add(name: field.name.lowercased(), value: field.value)
        }
        let trailers = HPACKHeaders(request.trailers.map(Request.split).map { ($0.name.lowercased(), $0.value) })
        let pieces = (request.body ?? []).map { ByteBuffer(string: $0) }
        let isEndKnown = request.body == nil
        Self.send(.headers(.init(headers: headers, endStream: isEndKnown)), on: stream)
        let write: @Sendable (ByteBuffer?) -> Void = { piece in
            if let piece { return Self.send(.data(.init(data: .byteBuffer(piece))), on: stream) }
            if trailers.isEmpty {
                Self.send(.data(.init(data: .byteBuffer(ByteBuffer()), endStream: true)), on: stream)
            } else {
                Self.send(.headers(.init(headers: trailers, endStream: true)), on: stream)
            }
        }
        for piece in pieces { write(piece) }
        if !isEndKnown, !isBodyOpen { write(nil) }
        return Exchange(
            inbox: inbox, write: write, abort: { Self.send(.rstStream(.cancel), on: stream) },
            startReading: { stream.setOption(.autoRead, value: true).whenComplete { _ in stream.read() } })
    }

    private static func send(_ payload: HTTP2Frame.FramePayload, on stream: any Channel) {
        stream.writeAndFlush(payload, promise: nil)
    }

    private final class StreamReader: ChannelInboundHandler {
        typealias InboundIn = HTTP2Frame.FramePayload

        private let inbox: Watched<Response>
        private var resetCode: UInt32?

        init(_ inbox: Watched<Response>) { self.inbox = inbox }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .headers(let block):
                let status = block.headers.first(name: ":status").flatMap { Int($0) } ?? 0
                inbox.change { response in
                    if (100...199).contains(status) {
                        response.interim.append(status)
                    } else if response.status == 0 {
                        response.status = status
                        response.fields = block.headers.filter { !$0.name.hasPrefix(":") }.map { ($0.name, $0.value) }
                    }
                    if block.endStream { response.end = .whole }
                }
            case .data(let data):
                guard case .byteBuffer(let bytes) = data.data else { return }
                inbox.change { response in
                    response.bytes.writeImmutableBuffer(bytes)
                    if data.endStream { response.end = .whole }
                }
            case .rstStream(let code):
                resetCode = UInt32(code.networkCode)
                finish()
            default: break
            }
        }

        private func finish() {
            inbox.change { [resetCode] response in
                if response.end == nil { response.end = .cut(code: resetCode) }
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            if let closed = error as? NIOHTTP2Errors.StreamClosed { resetCode = UInt32(closed.errorCode.networkCode) }
            finish()
        }

        func channelInactive(context: ChannelHandlerContext) { finish() }
    }

    private final class ConnectionReader: ChannelInboundHandler {
        typealias InboundIn = HTTP2Frame

        private let goAway: Watched<UInt32?>

        init(_ goAway: Watched<UInt32?>) { self.goAway = goAway }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            if case .goAway(_, let code, _) = unwrapInboundIn(data).payload {
                goAway.change { $0 = UInt32(code.networkCode) }
            }
            context.fireChannelRead(data)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
