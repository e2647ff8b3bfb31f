import NIOCore
import NIOPosix
import NIOSSL

/// A connection on which HTTP/1.1 is spoken byte by byte, so that wrong requests can be sent too.
struct HTTP1Connection: Sendable {
    let channel: any Channel
    private let reader: NIOLoopBound<Reader>

    /// - Parameter receiveBuffer: bytes the socket takes; the connection then reads only once told to.
    init(to address: SocketAddress, receiveBuffer: Int? = nil, tls: NIOSSLContext? = nil) async throws {
        var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        if let receiveBuffer {
            bootstrap =
                bootstrap
                .channelOption(.socketOption(.so_rcvbuf), value: .init(receiveBuffer))
                .channelOption(.autoRead, value: false)
        }
        (channel, reader) = try await bootstrap.connect(to: address) { channel in
            channel.eventLoop.makeCompletedFuture {
                let pipeline = channel.pipeline.syncOperations
                if let tls {
                    try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: "localhost"))
                }
                let reader = Reader()
                try pipeline.addHandler(reader)
                return (channel, NIOLoopBound(reader, eventLoop: channel.eventLoop))
            }
        }
    }

    func send(_ text: String) { channel.writeAndFlush(ByteBuffer(string: text), promise: nil) }

    func send(_ bytes: ByteBuffer) { channel.writeAndFlush(bytes, promise: nil) }

    func close() { channel.close(promise: nil) }

    /// Ends what is sent, and goes on reading.
    func closeOutput() { channel.close(mode: .output, promise: nil) }

    /// The next response that comes and is not expected yet.
    func expect(isHeadRequest: Bool = false) -> Watched<Response> {
        let inbox = Watched(Response())
        let reader = reader
        channel.eventLoop.execute { reader.value.expect(inbox, isHeadRequest: isHeadRequest) }
        return inbox
    }

    /// Sends a text and gives its response, for requests that must be exactly so.
    func exchange(_ text: String, isHeadRequest: Bool = false) -> Exchange {
        let inbox = expect(isHeadRequest: isHeadRequest)
        send(text)
        return Exchange(
            inbox: inbox, write: { if let bytes = $0 { send(bytes) } }, abort: close,
            startReading: { channel.setOption(.autoRead, value: true).whenComplete { _ in } })
    }

    /// Begins a request; `closes` asks the server to close after it.
    func open(_ request: Request, closes: Bool = false, isBodyOpen: Bool = false) -> Exchange {
        var head = "\(request.method) \(request.path) HTTP/1.1\r\n"
        let fields = request.allFields
        if !fields.contains(where: { $0.name.lowercased() == "host" }) { head += "Host: localhost\r\n" }
        if closes { head += "Connection: close\r\n" }
        for field in fields { head += "\(field.name): \(field.value)\r\n" }
        let isChunked = request.body != nil && !request.isLengthTold
        if isChunked { head += "Transfer-Encoding: chunked\r\n" }
        let exchange = exchange(head + "\r\n", isHeadRequest: request.method == "HEAD")
        let trailers = request.trailers.map { $0 + "\r\n" }.joined()
        let write: @Sendable (ByteBuffer?) -> Void = { piece in
            guard let piece else { return send(isChunked ? "0\r\n\(trailers)\r\n" : "") }
            guard isChunked else { return send(piece) }
            send("\(String(piece.readableBytes, radix: 16))\r\n")
            send(piece)
            send("\r\n")
        }
        for piece in request.body ?? [] { write(ByteBuffer(string: piece)) }
        if request.body != nil, !isBodyOpen { write(nil) }
        return Exchange(
            inbox: exchange.inbox, write: write, abort: exchange.abort, startReading: exchange.startReading)
    }

    /// All responses that came without being expected, once the server has closed.
    func responsesUntilClosed() async throws -> [Response] {
        try await closed()
        let reader = reader
        return try await channel.eventLoop.submit { reader.value.unexpected.map(\.value) }.get()
    }

    /// Waits until the connection is closed.
    func closed(within limit: TimeAmount = .seconds(30)) async throws {
        let isClosed = Watched(false)
        channel.closeFuture.whenComplete { _ in isClosed.change { $0 = true } }
        try await isClosed.wait(for: "close", within: limit) { $0 ? () : nil }
    }

    private final class Reader: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private var parser = ResponseParser()
        private var expected: [(inbox: Watched<Response>, isHeadRequest: Bool)] = []
        private(set) var unexpected: [Watched<Response>] = []
        private var isClosed = false
        private var isBroken = false

        func expect(_ inbox: Watched<Response>, isHeadRequest: Bool) {
            if isClosed { return inbox.change { $0.end = .cut() } }
            expected.append((inbox, isHeadRequest))
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            parser.append(unwrapInboundIn(data))
            guard !isBroken else { return }
            while parser.hasLeftover || !expected.isEmpty {
                if expected.isEmpty {
                    let inbox = Watched(Response())
                    unexpected.append(inbox)
                    expected.append((inbox, false))
                }
                do throws(ResponseParser.Violation) {
                    guard let event = try parser.next(isHeadRequest: expected[0].isHeadRequest) else { return }
                    take(event)
                } catch {
                    isBroken = true
                    expected[0].inbox.change {
                        $0.violation = error.rule
                        $0.end = .cut()
                    }
                    return context.close(promise: nil)
                }
            }
        }

        private func take(_ event: ResponseParser.Event) {
            let inbox = expected[0].inbox
            switch event {
            case .interim(let status): inbox.change { $0.interim.append(status) }
            case .head(let status, let fields):
                inbox.change {
                    $0.status = status
                    $0.fields = fields
                }
            case .body(let bytes): inbox.change { $0.bytes.writeImmutableBuffer(bytes) }
            case .end:
                expected.removeFirst()
                inbox.change { $0.end = .whole }
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            isClosed = true
            for (index, entry) in expected.enumerated() {
                let isWhole = index == 0 && parser.endsWithClose
                entry.inbox.change { if $0.end == nil { $0.end = isWhole ? .whole : .cut() } }
            }
            expected = []
        }

        /// A reset counts as the end: what has come by then is what counts.
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
