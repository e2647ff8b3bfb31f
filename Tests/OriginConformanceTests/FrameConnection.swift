import NIOCore
import NIOHPACK
import NIOPosix

/// One frame of HTTP/2 (`RFC 9113 §4.1`), right or wrong.
struct Frame: Sendable, Equatable {
    enum Kind {
        static let data: UInt8 = 0
        static let headers: UInt8 = 1
        static let priority: UInt8 = 2
        static let rstStream: UInt8 = 3
        static let settings: UInt8 = 4
        static let pushPromise: UInt8 = 5
        static let ping: UInt8 = 6
        static let goAway: UInt8 = 7
        static let windowUpdate: UInt8 = 8
        static let continuation: UInt8 = 9
    }

    enum Flag {
        static let endStream: UInt8 = 0x1
        static let acknowledgement: UInt8 = 0x1
        static let endHeaders: UInt8 = 0x4
        static let padded: UInt8 = 0x8
    }

    var kind: UInt8
    var flags: UInt8 = 0
    var stream: UInt32 = 0
    var payload: [UInt8] = []

    var bytes: [UInt8] {
        let length = payload.count
        return [UInt8(length >> 16 & 0xFF), UInt8(length >> 8 & 0xFF), UInt8(length & 0xFF), kind, flags]
            + Self.bytes(stream) + payload
    }

    /// Takes frames that are whole apart again.
    static func split(_ bytes: [UInt8]) -> [Frame] {
        var frames: [Frame] = []
        var rest = bytes[...]
        while rest.count >= 9 {
            let head = Array(rest.prefix(9))
            let length = head[..<3].reduce(0) { $0 << 8 | Int($1) }
            let stream = head[5...].reduce(0) { $0 << 8 | UInt32($1) }
            let payload = Array(rest.dropFirst(9).prefix(length))
            frames.append(Frame(kind: head[3], flags: head[4], stream: stream, payload: payload))
            rest = rest.dropFirst(9 + length)
        }
        return frames
    }

    /// A number of four bytes of the payload.
    func number(at offset: Int) -> UInt32 {
        payload.dropFirst(offset).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    static func bytes(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }

    // MARK: Frames that tests send

    static func headers(
        _ stream: UInt32, _ fields: [(String, String)], endsStream: Bool = true, endsHeaders: Bool = true
    ) -> Frame {
        Frame(
            kind: Kind.headers, flags: (endsStream ? Flag.endStream : 0) | (endsHeaders ? Flag.endHeaders : 0),
            stream: stream, payload: block(fields))
    }

    static func get(_ stream: UInt32, _ path: String, _ fields: [(String, String)] = []) -> Frame {
        headers(stream, request("GET", path) + fields)
    }

    /// The start of an upload whose body is open.
    static func put(_ stream: UInt32, _ path: String, _ fields: [(String, String)] = []) -> Frame {
        headers(stream, request("PUT", path) + fields, endsStream: false)
    }

    static func request(_ method: String, _ path: String) -> [(String, String)] {
        [(":method", method), (":scheme", "http"), (":authority", "a"), (":path", path)]
    }

    /// A request without a body whose fields take as many frames as they need.
    static func headers(_ stream: UInt32, _ fields: [(String, String)]) -> [Frame] {
        let block = block(fields)
        return stride(from: 0, to: block.count, by: 16_000).map { start in
            Frame(
                kind: start == 0 ? Kind.headers : Kind.continuation,
                flags: (start == 0 ? Flag.endStream : 0) | (start + 16_000 >= block.count ? Flag.endHeaders : 0),
                stream: stream, payload: Array(block.dropFirst(start).prefix(16_000)))
        }
    }

    static func data(_ stream: UInt32, _ payload: [UInt8], endsStream: Bool = false) -> Frame {
        Frame(kind: Kind.data, flags: endsStream ? Flag.endStream : 0, stream: stream, payload: payload)
    }

    static func reset(_ stream: UInt32, code: UInt32 = 8) -> Frame {
        Frame(kind: Kind.rstStream, stream: stream, payload: bytes(code))
    }

    static func windowUpdate(_ stream: UInt32, _ increment: UInt32) -> Frame {
        Frame(kind: Kind.windowUpdate, stream: stream, payload: bytes(increment))
    }

    static func settings(_ values: [(id: UInt8, value: UInt32)]) -> Frame {
        Frame(kind: Kind.settings, payload: values.flatMap { [0, $0.id] + bytes($0.value) })
    }

    static let settingsAcknowledgement = Frame(kind: Kind.settings, flags: Flag.acknowledgement)

    /// A header block of literals alone, so that it can say what no encoder would (`RFC 7541 §6.2.2`).
    static func block(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { [0] + text($0.0) + text($0.1) }
    }

    private static func text(_ text: String) -> [UInt8] {
        let count = text.utf8.count
        guard count >= 127 else { return [UInt8(count)] + text.utf8 }
        var (rest, length) = (count - 127, [UInt8(127)])
        while rest >= 128 {
            length.append(UInt8(rest & 0x7F | 0x80))
            rest >>= 7
        }
        return length + [UInt8(rest)] + text.utf8
    }
}

/// A connection on which frames of HTTP/2 are sent as they are.
struct FrameConnection: Sendable {
    static let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

    struct Received: Sendable {
        var frames: [Frame] = []
        var isClosed = false

        var goAway: Frame? { frames.first { $0.kind == Frame.Kind.goAway } }

        func frames(_ kind: UInt8, on stream: UInt32) -> [Frame] {
            frames.filter { $0.kind == kind && $0.stream == stream }
        }

        func body(of stream: UInt32) -> [UInt8] { frames(Frame.Kind.data, on: stream).flatMap(\.payload) }

        func isEnded(_ stream: UInt32) -> Bool {
            frames.contains {
                $0.stream == stream && $0.kind <= Frame.Kind.headers && $0.flags & Frame.Flag.endStream != 0
            }
        }

        func resetCode(_ stream: UInt32) -> UInt32? { frames(Frame.Kind.rstStream, on: stream).first?.number(at: 0) }
    }

    let channel: any Channel
    let received: Watched<Received>

    /// - Parameters:
    ///   - settings: nil sends nothing by itself.
    ///   - receiveBuffer: bytes the socket takes; the connection then reads only once told to.
    init(
        to address: SocketAddress, settings: [(id: UInt8, value: UInt32)]? = [], receiveBuffer: Int? = nil
    ) async throws {
        let received = Watched(Received())
        var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Reader(received))
                }
            }
        if let receiveBuffer {
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: .init(receiveBuffer))
                .channelOption(.autoRead, value: false)
        }
        channel = try await bootstrap.connect(to: address).get()
        self.received = received
        guard let settings else { return }
        send(Array(Self.preface.utf8) + Frame.settings(settings).bytes)
        if receiveBuffer == nil {
            try await received.wait(for: "the server's settings") { received -> Void? in
                received.frames(Frame.Kind.settings, on: 0).isEmpty ? nil : ()
            }
        }
        send([.settingsAcknowledgement])
    }

    func send(_ bytes: [UInt8]) { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }

    func send(_ frames: [Frame]) { send(frames.flatMap(\.bytes)) }

    func close() { channel.close(promise: nil) }

    /// The status of a stream's response, once it is there.
    func status(of stream: UInt32) async throws -> Int {
        let heads = try await received.wait(for: "head on stream \(stream)") { received -> ArraySlice<Frame>? in
            let heads = received.frames.filter { $0.kind == Frame.Kind.headers }
            if let index = heads.firstIndex(where: { $0.stream == stream }) { return heads[...index] }
            if received.isClosed || received.resetCode(stream) != nil {
                throw Exchange.Ended(description: "ended without a head: \(received.frames.suffix(5))")
            }
            return nil
        }
        // A head may refer to what those before it said, whatever their stream.
        var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
        var fields = HPACKHeaders()
        for head in heads {
            var buffer = ByteBuffer(bytes: head.payload)
            fields = try decoder.decodeHeaders(from: &buffer)
        }
        return Int(fields.first(name: ":status") ?? "") ?? 0
    }

    private final class Reader: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let received: Watched<Received>
        private var buffer = ByteBuffer()

        init(_ received: Watched<Received>) { self.received = received }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            buffer.writeImmutableBuffer(unwrapInboundIn(data))
            var frames: [Frame] = []
            while let frame = readFrame() { frames.append(frame) }
            received.change { $0.frames += frames }
        }

        private func readFrame() -> Frame? {
            guard let head = buffer.getBytes(at: buffer.readerIndex, length: 9) else { return nil }
            let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
            guard buffer.readableBytes >= 9 + length else { return nil }
            buffer.moveReaderIndex(forwardBy: 9)
            let stream = head[5...].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
            return Frame(
                kind: head[3], flags: head[4], stream: stream, payload: buffer.readBytes(length: length) ?? [])
        }

        func channelInactive(context: ChannelHandlerContext) { received.change { $0.isClosed = true } }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
