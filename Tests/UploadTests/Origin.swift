import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// A small HTTP server that records what it is sent.
final class Origin: Sendable {
    enum Event: Sendable {
        case connected(Int)
        case head(Int, HTTPRequestHead)
        case part(Int, path: String, bytes: [UInt8])
        case end(Int, path: String)
        case closed(Int)
    }

    /// What to do with a request.
    enum Answer: Sendable {
        case atEnd(HTTPResponseStatus)
        case atHead(HTTPResponseStatus)
        case atHeadAndClose(HTTPResponseStatus)
        /// Sends elsewhere, at the end.
        case redirect(to: String)
        case never
        /// At the end, once the gate opens.
        case gated(HTTPResponseStatus)
        /// Cuts the connection once so many bytes have come.
        case cut(afterBytes: Int)
    }

    final class State: Sendable {
        let journal = Journal<Event>()
        let channels = Mutex<[any Channel]>([])
        let held = Mutex<[(channel: any Channel, status: HTTPResponseStatus)]>([])
        let requests = Mutex(0)

        func add(_ channel: any Channel) -> Int {
            let number = channels.withLock { channels in
                channels.append(channel)
                return channels.count
            }
            journal.record(.connected(number))
            return number
        }

        func nextRequest() -> Int {
            requests.withLock { count in
                count += 1
                return count
            }
        }
    }

    let port: Int
    private let scheme: String
    private let channel: any Channel
    private let state: State

    /// `answer` is given a request's number, 1 for the first one to arrive.
    /// - Parameter socket: bound already; the origin closes it.
    init(
        port: Int = 0, on socket: CInt? = nil, reads: Bool = true, tls: NIOSSLContext? = nil,
        answer: @escaping @Sendable (Int, HTTPRequestHead) -> Answer
    ) async throws {
        let state = State()
        scheme = tls == nil ? "http" : "https"
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: reads)
            .childChannelInitializer { channel in
                let number = state.add(channel)
                return channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
                    }
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(
                        Recorder(number: number, state: state, answer: answer))
                }
            }
        channel =
            if let socket {
                try await bootstrap.withBoundSocket(socket).get()
            } else {
                try await bootstrap.bind(host: "127.0.0.1", port: port).get()
            }
        self.state = state
        self.port = channel.localAddress?.port ?? 0
    }

    var journal: Journal<Event> { state.journal }
    var url: String { "\(scheme)://127.0.0.1:\(port)" }

    func openGate() {
        let held = state.held.withLock { held in
            defer { held = [] }
            return held
        }
        for (channel, status) in held {
            channel.eventLoop.execute { Recorder.answer(channel, status) }
        }
    }

    func close() async throws {
        try await channel.close().get()
        for child in state.channels.withLock({ $0 }) { child.close(promise: nil) }
    }
}

private final class Recorder: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let number: Int
    private let state: Origin.State
    private let decide: @Sendable (Int, HTTPRequestHead) -> Origin.Answer
    private var answer = Origin.Answer.never
    private var path = ""
    private var count = 0

    init(number: Int, state: Origin.State, answer: @escaping @Sendable (Int, HTTPRequestHead) -> Origin.Answer) {
        self.number = number
        self.state = state
        decide = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            path = head.uri
            count = 0
            answer = decide(state.nextRequest(), head)
            state.journal.record(.head(number, head))
            switch answer {
            case .atHead(let status): Self.answer(context.channel, status)
            case .atHeadAndClose(let status):
                Self.answer(context.channel, status)
                context.close(promise: nil)
            case .atEnd, .redirect, .gated, .never, .cut: break
            }
        case .body(let bytes):
            count += bytes.readableBytes
            state.journal.record(.part(number, path: path, bytes: Array(bytes.readableBytesView)))
            if case .cut(let limit) = answer, count >= limit { context.close(promise: nil) }
        case .end:
            // Held before it is told: who hears of the end may open the gate at once.
            if case .gated(let status) = answer { state.held.withLock { $0.append((context.channel, status)) } }
            state.journal.record(.end(number, path: path))
            switch answer {
            case .atEnd(let status): Self.answer(context.channel, status)
            case .redirect(let url): Self.answer(context.channel, .temporaryRedirect, location: url)
            case .gated: break
            case .atHead, .atHeadAndClose, .never, .cut: break
            }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        state.journal.record(.closed(number))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    static func answer(_ channel: any Channel, _ status: HTTPResponseStatus, location: String? = nil) {
        var head = HTTPResponseHead(version: .http1_1, status: status, headers: ["Content-Length": "0"])
        if let location { head.headers.add(name: "Location", value: location) }
        channel.write(HTTPServerResponsePart.head(head), promise: nil)
        channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
    }
}

extension [Origin.Event] {
    var connections: Int {
        filter { if case .connected = $0 { true } else { false } }.count
    }

    func heads(_ path: String) -> [HTTPRequestHead] {
        compactMap { if case .head(_, let head) = $0, head.uri == path { head } else { nil } }
    }

    /// The bodies of a path's requests in the order of their heads, with whether their end came.
    func bodies(_ path: String) -> [(connection: Int, bytes: [UInt8], isEnded: Bool)] {
        var bodies: [(connection: Int, bytes: [UInt8], isEnded: Bool)] = []
        for event in self {
            switch event {
            case .head(let number, let head) where head.uri == path: bodies.append((number, [], false))
            case .part(let number, path, let bytes):
                if let index = bodies.lastIndex(where: { $0.connection == number }) { bodies[index].bytes += bytes }
            case .end(let number, path):
                if let index = bodies.lastIndex(where: { $0.connection == number }) { bodies[index].isEnded = true }
            default: break
            }
        }
        return bodies
    }

    func received(_ path: String) -> [UInt8] { bodies(path).last?.bytes ?? [] }
    func delivered(_ path: String) -> Bool { bodies(path).last?.isEnded ?? false }
}
