import NIOCore
import OriginServer
import OriginStore
import Testing

/// Peers that send what costs them nothing: they are ended or bear their own cost, and others are served meanwhile.
@Suite(.timeLimit(.minutes(2))) struct HTTP2FloodTests {
    private typealias K = Frame.Kind
    private static let path = Case.path

    struct Flood: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// Sent once, before the flood.
        var start: [Frame] = []
        let frames: @Sendable (Int) -> [Frame]
        let count: Int
        /// Whether the connection has to be ended for it.
        var isEnded = true
    }

    static let floods = [
        Flood(
            testDescription: "SETTINGS", frames: { _ in [Frame.settings([(4, 65_535)])] }, count: 200_000,
            isEnded: false),
        Flood(
            testDescription: "PING", frames: { _ in [Frame(kind: K.ping, payload: [UInt8](repeating: 1, count: 8))] },
            count: 200_000, isEnded: false),
        Flood(
            testDescription: "rapid reset",
            frames: { [Frame.get(UInt32($0) * 2 + 1, path), .reset(UInt32($0) * 2 + 1)] }, count: 20_000),
        Flood(
            testDescription: "rapid reset of uploads",
            frames: { [Frame.put(UInt32($0) * 2 + 1, "/\($0).ts"), .reset(UInt32($0) * 2 + 1)] }, count: 20_000),
        Flood(
            testDescription: "streams that end in an error",
            frames: {
                [
                    Frame.put(UInt32($0) * 2 + 1, "/a.ts", [("content-length", "1")]),
                    .data(UInt32($0) * 2 + 1, [1, 2], endsStream: true),
                ]
            },
            count: 20_000),
        Flood(
            testDescription: "CONTINUATION",
            start: [.headers(1, Frame.request("GET", path), endsHeaders: false)],
            frames: { _ in [Frame(kind: K.continuation, stream: 1, payload: Frame.block([("x", "y")]))] },
            count: 100_000),
        Flood(
            testDescription: "CONTINUATION without a byte",
            start: [.headers(1, Frame.request("GET", path), endsHeaders: false)],
            frames: { _ in [Frame(kind: K.continuation, stream: 1)] }, count: 100_000),
        Flood(
            testDescription: "DATA without a byte", start: [.put(1, "/a.ts")], frames: { _ in [.data(1, [])] },
            count: 100_000),
        Flood(
            testDescription: "PRIORITY",
            frames: { _ in [Frame(kind: K.priority, stream: 9, payload: [0, 0, 0, 1, 0])] },
            count: 200_000, isEnded: false),
        Flood(
            testDescription: "WINDOW_UPDATE", start: [.put(1, "/a.ts")], frames: { _ in [.windowUpdate(1, 1)] },
            count: 200_000, isEnded: false),
    ]

    @Test(arguments: floods)
    func `a flood ends its own connection at most, and others are served`(flood: Flood) async throws {
        try await withOrigin { origin in
            try await origin.send(Case.object)
            let upload = try await origin.upload("/grows.ts", "one")
            let viewer = try await origin.open(.get("/grows.ts"), over: .http2)
            try await viewer.body("one")
            // It reads nothing of what its flood brings back.
            let connection = try await FrameConnection(to: origin.address, receiveBuffer: 4_096)
            connection.send(flood.start)
            for batch in stride(from: 0, to: flood.count, by: 1_000) {
                connection.send((batch..<min(batch + 1_000, flood.count)).flatMap(flood.frames))
            }
            for number in 0..<10 {
                upload.send("\(number)")
                #expect(try await origin.send(.get(Self.path), over: .http2).body == "0123456789")
            }
            upload.finish()
            #expect(try await viewer.response().body == "one0123456789")
            if flood.isEnded {
                // Reading makes the end seen.
                connection.channel.setOption(.autoRead, value: true).whenComplete { _ in }
                let received = try await connection.received.wait(for: "close") { $0.isClosed ? $0 : nil }
                if let goAway = received.goAway { #expect(goAway.number(at: 4) != 0) }
            }
            connection.close()
        }
    }

    @Test func `a header that is too large is refused on its own stream`() async throws {
        try await withOrigin { origin in
            let connection = try await FrameConnection(to: origin.address)
            let request = Frame.request("GET", Self.path)
            connection.send(Frame.headers(1, request + [("x", String(repeating: "a", count: 40_000))]))
            connection.send(Frame.headers(3, request + (0..<200).map { ("x\($0)", "a") }))
            connection.send(Frame.headers(5, request))
            #expect(try await connection.status(of: 1) == 431)
            #expect(try await connection.status(of: 3) == 431)
            #expect(try await connection.status(of: 5) == 404)
        }
    }

    @Test func `a header of more than twice as much ends the connection`() async throws {
        try await withOrigin { origin in
            for fields in [
                [("x", String(repeating: "a", count: 70_000))],
                (0..<2_000).map { ("x\($0)", String(repeating: "a", count: 20)) },
            ] {
                let connection = try await FrameConnection(to: origin.address)
                connection.send(Frame.headers(1, Frame.request("GET", Self.path) + fields))
                _ = try await connection.received.wait(for: "end") { $0.isClosed ? $0 : nil }
                #expect(try await origin.send(.get("/none"), over: .http2).status == 404)
            }
        }
    }

    /// Header fields that are small on the wire and large in memory: a reference to the table for each byte.
    @Test func `a header block that unpacks to much is not taken`() async throws {
        try await withOrigin { origin in
            let connection = try await FrameConnection(to: origin.address)
            // x: 4,000 bytes, into the table (RFC 7541 §6.2.1); then named by its index, 16,000 times.
            let entry: [UInt8] =
                [0x40, 1, UInt8(ascii: "x"), 0x7F, 0xA1, 0x1E] + [UInt8](repeating: 0x61, count: 4_000)
            let block = Frame.block(Frame.request("GET", Self.path)) + entry + [UInt8](repeating: 0xBE, count: 12_000)
            connection.send([Frame(kind: K.headers, flags: 5, stream: 1, payload: block)])
            let received = try await connection.received.wait(for: "refusal") { received in
                received.isClosed || received.resetCode(1) != nil || received.isEnded(1) ? received : nil
            }
            if received.isEnded(1), received.resetCode(1) == nil { #expect(try await connection.status(of: 1) == 431) }
            #expect(try await origin.send(.get("/none"), over: .http2).status == 404)
        }
    }

    @Test(arguments: HTTPVersion.allCases)
    func `a reader that takes nothing is cut, and others do not notice`(version: HTTPVersion) async throws {
        try await withOrigin {
            // Longer than a busy host keeps the viewer from reading.
            $0.stallLimit = .seconds(5)
        } _: { origin in
            let upload = try await origin.upload(Self.path, "begin", over: version)
            let stalled = try await origin.open(.get(Self.path), over: version, isPaused: true)
            let viewer = try await origin.open(.get(Self.path), over: version)
            try await viewer.body("begin")
            let piece = String(repeating: "a", count: 500_000)
            for _ in 0..<32 { upload.send(piece) }
            upload.finish()
            #expect(try await upload.response().status == 201)
            let all = try await viewer.response()
            #expect(all.end == .whole)
            #expect(all.bytes.readableBytes == 16_000_005)
            // The bytes that it alone still holds are given back when it is cut.
            try await origin.logged("reader cut reason=stalled")
            try await origin.turnEventLoops()
            #expect(origin.server.store.heldBytes < 17_000_000)
            stalled.startReading()
            let cut = try await stalled.response()
            #expect(cut.end != .whole)
            #expect(cut.bytes.readableBytes < 16_000_005)
        }
    }
}
