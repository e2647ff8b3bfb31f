import Testing

/// What a peer of HTTP/2 must not do, frame by frame (`RFC 9113 §5, §6, §8`).
@Suite(.timeLimit(.minutes(2))) struct HTTP2FrameTests {
    enum Code {
        static let protocolError: UInt32 = 1
        static let flowControlError: UInt32 = 3
        static let streamClosed: UInt32 = 5
        static let frameSizeError: UInt32 = 6
        static let refusedStream: UInt32 = 7
        static let compressionError: UInt32 = 9
        static let enhanceYourCalm: UInt32 = 11
    }

    enum Outcome: Sendable {
        /// GOAWAY with one of these codes, then the connection's end.
        case connection([UInt32])
        /// RST_STREAM with one of these codes, or 400, on stream 1; as a peer may, the connection can end instead.
        case stream([UInt32])
        /// Nothing: the stream with this number is served.
        case served(UInt32)
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]
        let outcome: Outcome

        init(_ name: String, _ frames: [Frame], _ outcome: Outcome) {
            testDescription = name
            bytes = frames.flatMap(\.bytes)
            self.outcome = outcome
        }
    }

    private typealias K = Frame.Kind
    private typealias F = Frame.Flag
    private static let bad = Outcome.connection([Code.protocolError])
    private static let badSize = Outcome.connection([Code.frameSizeError])
    private static let badStream = Outcome.stream([Code.protocolError])
    private static let path = Case.path
    /// An open upload on stream 1, to send more on.
    private static let open = Frame.put(1, "/b.ts")
    private static let next = Frame.get(3, path)

    private static func asked(_ name: String, _ fields: [(String, String)]) -> Row {
        Row(name, [.headers(1, fields)], badStream)
    }

    static let identifiers = [
        Row("DATA on the connection", [.data(0, [1])], bad),
        Row("HEADERS on the connection", [.get(0, path)], bad),
        Row("HEADERS on a stream of the server's", [.get(2, path)], bad),
        Row(
            "HEADERS on an older stream", [.get(5, path), .get(3, path)],
            .connection([Code.protocolError, Code.streamClosed])),
        Row(
            "HEADERS on an ended stream", [.get(1, path), .get(1, path)],
            .connection([Code.protocolError, Code.streamClosed])),
        Row("DATA before HEADERS", [.data(1, [1])], .connection([Code.protocolError, Code.streamClosed])),
        Row(
            "DATA after the end", [.get(1, path), .data(1, [1])], .connection([Code.protocolError, Code.streamClosed])),
        Row("RST_STREAM on an idle stream", [.reset(1)], bad),
        Row("RST_STREAM on the connection", [.reset(0)], bad),
        Row("WINDOW_UPDATE on an idle stream", [.windowUpdate(1, 1)], bad),
        Row("SETTINGS on a stream", [Frame(kind: K.settings, stream: 1)], bad),
        Row("PING on a stream", [Frame(kind: K.ping, stream: 1, payload: [UInt8](repeating: 0, count: 8))], bad),
        Row("GOAWAY on a stream", [Frame(kind: K.goAway, stream: 1, payload: [UInt8](repeating: 0, count: 8))], bad),
        Row("PRIORITY on the connection", [Frame(kind: K.priority, payload: [0, 0, 0, 1, 0])], bad),
        Row(
            "PUSH_PROMISE", [open, Frame(kind: K.pushPromise, flags: F.endHeaders, stream: 1, payload: [0, 0, 0, 2])],
            bad),
        Row("CONTINUATION of nothing", [open, Frame(kind: K.continuation, flags: F.endHeaders, stream: 1)], bad),
        Row(
            "DATA between HEADERS and CONTINUATION",
            [.headers(1, Frame.request("PUT", "/b.ts"), endsStream: false, endsHeaders: false), .data(1, [1])], bad),
        Row(
            "HEADERS of another stream between",
            [.headers(1, Frame.request("GET", path), endsHeaders: false), .get(3, path)], bad),
        Row(
            "CONTINUATION of another stream",
            [
                .headers(1, Frame.request("GET", path), endsHeaders: false),
                Frame(kind: K.continuation, flags: F.endHeaders, stream: 3),
            ], bad),
        Row(
            "an unknown frame between",
            [.headers(1, Frame.request("GET", path), endsHeaders: false), Frame(kind: 0xEE, stream: 1)], bad),
    ]

    static let sizes = [
        Row(
            "DATA that is too large", [open, .data(1, [UInt8](repeating: 0, count: 16_385))],
            .connection([Code.frameSizeError])),
        Row(
            "HEADERS that are too large",
            [Frame(kind: K.headers, flags: F.endHeaders, stream: 1, payload: [UInt8](repeating: 0, count: 16_385))],
            badSize),
        Row("SETTINGS of five bytes", [Frame(kind: K.settings, payload: [0, 0, 0, 0, 0])], badSize),
        Row(
            "an acknowledgement with bytes",
            [Frame(kind: K.settings, flags: F.acknowledgement, payload: [0, 3, 0, 0, 0, 1])], badSize),
        Row("PING of seven bytes", [Frame(kind: K.ping, payload: [UInt8](repeating: 0, count: 7))], badSize),
        Row("WINDOW_UPDATE of three bytes", [Frame(kind: K.windowUpdate, payload: [0, 0, 1])], badSize),
        Row("RST_STREAM of three bytes", [open, Frame(kind: K.rstStream, stream: 1, payload: [0, 0, 1])], badSize),
        Row(
            "PRIORITY of four bytes", [open, Frame(kind: K.priority, stream: 1, payload: [0, 0, 0, 0])],
            .stream([Code.frameSizeError])),
        Row("GOAWAY of four bytes", [Frame(kind: K.goAway, payload: [0, 0, 0, 0])], badSize),
        Row(
            "more padding than there is", [open, Frame(kind: K.data, flags: F.padded, stream: 1, payload: [9, 1, 1])],
            bad),
        Row(
            "padding without its length", [open, Frame(kind: K.data, flags: F.padded, stream: 1)],
            .connection([Code.protocolError, Code.frameSizeError])),
        Row(
            "more padding than HEADERS have",
            [Frame(kind: K.headers, flags: F.padded | F.endHeaders, stream: 1, payload: [200, 0])], bad),
    ]

    static let settings = [
        Row("ENABLE_PUSH of 2", [.settings([(2, 2)])], bad),
        Row("a window beyond 2^31", [.settings([(4, 1 << 31)])], .connection([Code.flowControlError])),
        Row("a frame size of 1", [.settings([(5, 1)])], bad),
        Row("a frame size of 2^24", [.settings([(5, 1 << 24)])], bad),
        Row("an unknown setting", [.settings([(0xEE, 1)]), next], .served(3)),
        Row("a table of no size", [.settings([(1, 0)]), next], .served(3)),
        Row("no window for the connection", [.windowUpdate(0, 0)], bad),
        Row("no window for a stream", [open, .windowUpdate(1, 0)], badStream),
        Row(
            "a connection's window beyond 2^31", [.windowUpdate(0, 0x7FFF_FFFF), .windowUpdate(0, 0x7FFF_FFFF)],
            .connection([Code.flowControlError])),
        Row(
            "a stream's window beyond 2^31", [open, .windowUpdate(1, 0x7FFF_FFFF), .windowUpdate(1, 0x7FFF_FFFF)],
            .stream([Code.flowControlError])),
        Row(
            "a setting that takes a window beyond 2^31",
            [open, .windowUpdate(1, 0x7FFF_FFFF - 65_535), .settings([(4, 65_536)])],
            .connection([Code.flowControlError])),
    ]

    static let blocks = [
        Row(
            "an index that is not there",
            [Frame(kind: K.headers, flags: F.endHeaders | F.endStream, stream: 1, payload: [0xFF, 0xFF, 0xFF, 0x7F])],
            .connection([Code.compressionError])),
        Row(
            "an index of 0", [Frame(kind: K.headers, flags: F.endHeaders | F.endStream, stream: 1, payload: [0x80])],
            .connection([Code.compressionError])),
        Row(
            "a block that ends too early",
            [Frame(kind: K.headers, flags: F.endHeaders | F.endStream, stream: 1, payload: [0, 5, 0x61])],
            .connection([Code.compressionError])),
        Row(
            "a table larger than allowed",
            [Frame(kind: K.headers, flags: F.endHeaders | F.endStream, stream: 1, payload: [0x3F, 0xE1, 0xFF, 0x7F])],
            .connection([Code.compressionError])),
        asked("a name in capitals", Frame.request("GET", path) + [("X-Upper", "a")]),
        asked("a field of a connection", Frame.request("GET", path) + [("connection", "keep-alive")]),
        asked("another field of a connection", Frame.request("GET", path) + [("transfer-encoding", "chunked")]),
        asked("TE that is not trailers", Frame.request("GET", path) + [("te", "gzip")]),
        asked("a value with a line feed", Frame.request("GET", path) + [("x", "a\r\nb: c")]),
        asked("a name with a colon", Frame.request("GET", path) + [("x:y", "a")]),
        Row(
            "an empty name", [.headers(1, Frame.request("GET", path) + [("", "a")])],
            .stream([Code.protocolError, Code.compressionError])),
        asked("an unknown pseudo-field", Frame.request("GET", path) + [(":x", "a")]),
        asked("a response's pseudo-field", Frame.request("GET", path) + [(":status", "200")]),
        asked("a pseudo-field behind a field", [("x", "a")] + Frame.request("GET", path)),
        asked("no method", Array(Frame.request("GET", path).dropFirst())),
        asked("no path", Array(Frame.request("GET", path).dropLast())),
        asked("no scheme", [(":method", "GET"), (":authority", "a"), (":path", path)]),
        asked("two methods", Frame.request("GET", path) + [(":method", "GET")]),
        asked("two paths", Frame.request("GET", path) + [(":path", path)]),
        asked("an empty path", Frame.request("GET", "")),
        Row("trailers: te", [.get(1, path, [("te", "trailers")])], .served(1)),
        Row("no authority", [.headers(1, [(":method", "GET"), (":scheme", "http"), (":path", path)])], .served(1)),
        Row(
            "a block in pieces",
            [
                Frame(
                    kind: K.headers, flags: F.endStream, stream: 1,
                    payload: Array(Frame.block(Frame.request("GET", path)).prefix(9))),
                Frame(
                    kind: K.continuation, flags: F.endHeaders, stream: 1,
                    payload: Array(Frame.block(Frame.request("GET", path)).dropFirst(9))),
            ], .served(1)),
        Row(
            "padding",
            [
                Frame(
                    kind: K.headers, flags: F.endStream | F.endHeaders | F.padded, stream: 1,
                    payload: [2] + Frame.block(Frame.request("GET", path)) + [0, 0])
            ], .served(1)),
        Row(
            "PRIORITY on an idle stream",
            [Frame(kind: K.priority, stream: 9, payload: [0, 0, 0, 1, 0]), .get(11, path)], .served(11)),
        Row("an unknown frame", [Frame(kind: 0xEE, flags: 0xFF, stream: 7, payload: [1, 2, 3]), next], .served(3)),
        Row(
            "unknown flags", [Frame(kind: K.ping, flags: 0xFE, payload: [UInt8](repeating: 0, count: 8)), next],
            .served(3)),
    ]

    static let bodies = [
        Row(
            "less than the length", [.put(1, "/b.ts", [("content-length", "5")]), .data(1, [1], endsStream: true)],
            badStream),
        Row(
            "more than the length", [.put(1, "/b.ts", [("content-length", "1")]), .data(1, [1, 2], endsStream: true)],
            badStream),
        Row(
            "more than no length", [.put(1, "/b.ts", [("content-length", "0")]), .data(1, [1], endsStream: true)],
            badStream),
        Row(
            "nothing of the length", [.headers(1, Frame.request("PUT", "/b.ts") + [("content-length", "1")])], badStream
        ),
        Row(
            "two lengths",
            [.put(1, "/b.ts", [("content-length", "1"), ("content-length", "2")]), .data(1, [1], endsStream: true)],
            badStream),
        Row(
            "a length that is none", [.put(1, "/b.ts", [("content-length", "x")]), .data(1, [1], endsStream: true)],
            badStream),
        Row("trailers with a pseudo-field", [open, .data(1, [1]), .headers(1, [(":path", "/c.ts")])], badStream),
        Row(
            "trailers that do not end it", [open, .data(1, [1]), .headers(1, [("x", "y")], endsStream: false)],
            badStream),
    ]

    @Test(arguments: identifiers + sizes + settings + blocks + bodies)
    func `a peer that breaks a rule is told which, and others are served`(row: Row) async throws {
        try await withOrigin { origin in
            try await origin.send(Case.object)
            let connection = try await FrameConnection(to: origin.address)
            connection.send(row.bytes)
            switch row.outcome {
            case .connection(let codes):
                let received = try await connection.received.wait(for: "close") { $0.isClosed ? $0 : nil }
                if let goAway = received.goAway { #expect(codes.contains(goAway.number(at: 4)), "\(goAway.payload)") }
            case .stream(let codes):
                let received = try await connection.received.wait(for: "reset") {
                    received -> FrameConnection.Received? in
                    received.isClosed || received.resetCode(1) != nil || received.isEnded(1) ? received : nil
                }
                if let code = received.resetCode(1) {
                    #expect(codes.contains(code), "\(code)")
                } else if let goAway = received.goAway {
                    #expect(codes.contains(goAway.number(at: 4)), "\(goAway.payload)")
                } else if !received.isClosed {
                    #expect(try await connection.status(of: 1) == 400)
                }
            case .served(let stream):
                #expect(try await connection.status(of: stream) == 200)
                try await connection.received.wait(for: "end") { $0.isEnded(stream) ? () : nil }
            }
            let broken = try await origin.send(.get("/b.ts"), over: .http2)
            #expect(broken.status == 404 || broken.end != .whole)
            #expect(try await origin.send(.get(Self.path), over: .http2).body == "0123456789")
            connection.close()
        }
    }

    private static let badRequests: [Row] = (blocks + bodies).filter { row in
        if case .stream(let codes) = row.outcome { codes == [Code.protocolError] } else { false }
    }

    @Test(arguments: badRequests)
    func `a request that breaks a rule ends its stream alone`(row: Row) async throws {
        try await withOrigin { origin in
            try await origin.send(Case.object)
            let connection = try await FrameConnection(to: origin.address)
            connection.send([Frame.put(101, "/live/other.ts"), .data(101, [1])].flatMap(\.bytes))
            // The rows speak of stream 1.
            let frames = Frame.split(row.bytes).map { frame in
                var frame = frame
                frame.stream = 103
                return frame
            }
            connection.send(frames.flatMap(\.bytes))
            _ = try await connection.received.wait(for: "reset") { $0.resetCode(103) }
            connection.send([Frame.data(101, [2], endsStream: true), .get(105, Self.path)].flatMap(\.bytes))
            #expect(try await connection.status(of: 105) == 200)
            #expect(try await connection.status(of: 101) == 201)
            connection.close()
        }
    }

    /// Requests that are answered at once, with a body still to come.
    @Test(arguments: [
        Frame.request("DELETE", path), Frame.request("OPTIONS", path), Frame.request("HEAD", path),
        Frame.request("GET", path) + [("if-none-match", "*")],
    ])
    func `an answer before the body's end leaves other streams alone`(fields: [(String, String)]) async throws {
        try await withOrigin { origin in
            try await origin.send(Case.object)
            let connection = try await FrameConnection(to: origin.address)
            connection.send(Frame.headers(1, fields, endsStream: false).bytes)
            let received = try await connection.received.wait(for: "end") { $0.resetCode(1) == nil ? nil : $0 }
            #expect(received.resetCode(1) == 0)
            #expect(received.isEnded(1))
            connection.send(Frame.get(3, "/none").bytes)
            #expect(try await connection.status(of: 3) == 404)
            connection.close()
        }
    }

    @Test(arguments: [
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\rX" + String(repeating: "x", count: 100),
        "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n" + String(repeating: "x", count: 100),
        FrameConnection.preface + "GET / HTTP/1.1\r\n\r\n",
        FrameConnection.preface + String(repeating: "\u{0}", count: 9),
    ])
    func `a preface that is none ends the connection`(start: String) async throws {
        try await withOrigin { origin in
            let connection = try await FrameConnection(to: origin.address, settings: nil)
            connection.send(Array(start.utf8))
            try await connection.received.wait(for: "close") { $0.isClosed ? () : nil }
            #expect(try await origin.send(.get("/none"), over: .http2).status == 404)
        }
    }
}
