import NIOCore
import NIOHTTP2
import OriginServer
import OriginStore
import Testing

/// Many streams of one connection: each at its own pace, none at the cost of another.
@Suite(.timeLimit(.minutes(2))) struct HTTP2StreamTests {
    private static let path = Case.path
    private typealias K = Frame.Kind

    @Test func `a reader with a window of a few bytes gets all of them, and delays nobody`() async throws {
        try await withOrigin { origin in
            let text = (0..<40).map { "piece \($0);" }.joined()
            let upload = try await origin.upload(Self.path, "begin;")
            let slow = try await FrameConnection(to: origin.address, settings: [(4, 5)])
            slow.send([.get(1, Self.path)])
            let quick = try await HTTP2Connection(to: origin.address)
            let beside = try await quick.open(.get(Self.path))
            let other = try await origin.open(.get(Self.path), over: .http1)
            upload.send(text)
            upload.finish()
            for reader in [beside, other] {
                let response = try await reader.response()
                #expect(response.end == .whole)
                #expect(response.body == "begin;" + text)
            }
            // The slow one has what its window took, and not a byte more; then the rest, five bytes at a time.
            var count = 5
            let whole = Array("begin;\(text)".utf8)
            while true {
                let received = try await slow.received.wait(for: "\(count) bytes") {
                    $0.body(of: 1).count >= min(count, whole.count) || $0.isClosed ? $0 : nil
                }
                try #require(received.body(of: 1) == Array(whole.prefix(count)))
                if count >= whole.count { break }
                slow.send([.windowUpdate(1, 5)])
                count += 5
            }
            try await slow.received.wait(for: "end") { $0.isEnded(1) ? () : nil }
        }
    }

    @Test func `a stream that is not read does not hold up another of its connection`() async throws {
        try await withOrigin { origin in
            let large = String(repeating: "0123456789abcdef", count: 200_000)
            try await origin.send(.put("/large.ts", large))
            try await origin.send(Case.object)
            let connection = try await HTTP2Connection(to: origin.address)
            let paused = try await connection.open(.get("/large.ts"), isPaused: true)
            for _ in 0..<20 {
                let response = try await connection.open(.get(Self.path)).response()
                #expect(response.body == "0123456789")
            }
            paused.startReading()
            let response = try await paused.response()
            #expect(response.end == .whole)
            let isSame = response.body == large
            #expect(isSame)
        }
    }

    @Test func `a connection's window holds for all its streams`() async throws {
        try await withOrigin { origin in
            let large = String(repeating: "x", count: 100_000)
            try await origin.send(.put("/large.ts", large))
            let connection = try await FrameConnection(to: origin.address, settings: [(4, 1_000_000)])
            connection.send([.get(1, "/large.ts"), .get(3, "/large.ts")])
            let received = try await connection.received.wait(for: "a full window") { received in
                received.body(of: 1).count + received.body(of: 3).count >= 65_535 ? received : nil
            }
            #expect(received.body(of: 1).count + received.body(of: 3).count == 65_535)
            connection.send([.windowUpdate(0, 1_000_000)])
            try await connection.received.wait(for: "both ends") { $0.isEnded(1) && $0.isEnded(3) ? () : nil }
            #expect(connection.received.value.body(of: 1).count == 100_000)
            #expect(connection.received.value.body(of: 3).count == 100_000)
        }
    }

    /// By what the peer says of frames (`RFC 9113 §6.5.2`, SETTINGS_MAX_FRAME_SIZE): 16,384 is the least it can take.
    @Test(arguments: [nil, 16_384, 40_000] as [UInt32?])
    func `DATA frames of what is complete are as large as every peer takes them`(limit: UInt32?) async throws {
        try await withOrigin { origin in
            try await origin.send(.put("/large.ts", String(repeating: "x", count: 60_000)))
            let settings = limit.map { [(id: UInt8(5), value: $0)] } ?? []
            let connection = try await FrameConnection(to: origin.address, settings: settings)
            connection.send([.get(1, "/large.ts")])
            try await connection.received.wait(for: "end") { $0.isEnded(1) ? () : nil }
            let counts = connection.received.value.frames(K.data, on: 1).map(\.payload.count)
            #expect(counts.filter { $0 > 0 } == [16_384, 16_384, 16_384, 10_848])
        }
    }

    /// A stream error or a connection error, at the receiver's choice (`RFC 9113 §5.1.2`).
    @Test func `more streams than announced end the connection, and the origin stays up`() async throws {
        try await withOrigin { origin in
            let upload = try await origin.upload(Self.path, "one")
            let connection = try await FrameConnection(to: origin.address)
            let settings = connection.received.value.frames(K.settings, on: 0).first?.payload ?? []
            let limit = stride(from: 0, to: settings.count, by: 6).map { (settings[$0 + 1], $0) }
                .first { $0.0 == 3 }.map { Frame(kind: 0, payload: settings).number(at: $0.1 + 2) }
            let streams = try #require(limit, "MAX_CONCURRENT_STREAMS")
            #expect((100...1_000).contains(streams))
            connection.send((0..<streams).map { Frame.get($0 * 2 + 1, Self.path) })
            try await connection.received.wait(for: "last reader") {
                $0.body(of: streams * 2 - 1) == Array("one".utf8) ? () : nil
            }
            connection.send([.get(streams * 2 + 1, Self.path)])
            try await connection.received.wait(for: "end") { $0.isClosed ? () : nil }
            #expect(try await origin.send(.head(Self.path), over: .http2).status == 200)
            upload.abort()
        }
    }

    @Test func `what is on its way to uploads that are refused spoils no other stream`() async throws {
        try await withOrigin { origin in
            let connection = try await FrameConnection(to: origin.address)
            let good = try await origin.upload(Self.path, "one")
            connection.send([.get(1, Self.path)])
            try await connection.received.wait(for: "reader") { $0.body(of: 1) == Array("one".utf8) ? () : nil }
            let refused = (1...90).map { UInt32($0) * 2 + 1 }
            connection.send(refused.map { .put($0, "/x.ts", [("content-encoding", "gzip")]) })
            try await connection.received.wait(for: "refusals") { received in
                refused.allSatisfy { received.isEnded($0) || received.resetCode($0) != nil } ? () : nil
            }
            connection.send(refused.map { .data($0, [1, 2, 3]) })
            good.send("two")
            good.finish()
            try await connection.received.wait(for: "end") { $0.isEnded(1) || $0.isClosed ? () : nil }
            #expect(connection.received.value.body(of: 1) == Array("onetwo".utf8))
        }
    }

    @Test func `readers of an upload that breaks off are reset, and their connection stays`() async throws {
        try await withOrigin { origin in
            try await origin.send(.put("/other.ts", "other"))
            let upload = try await origin.upload(Self.path, "one", over: .http2)
            let connection = try await HTTP2Connection(to: origin.address)
            let reader = try await connection.open(.get(Self.path))
            try await reader.body("one")
            upload.abort()
            let response = try await reader.response()
            guard case .cut(let code?) = response.end else {
                Issue.record("not reset: \(response)")
                return
            }
            #expect(code != 0)
            #expect(try await connection.open(.get("/other.ts")).response().body == "other")
            #expect(try await connection.open(.get(Self.path)).response().status == 404)
        }
    }

    @Test func `an upload that is reset is never complete, and one beside it is`() async throws {
        try await withOrigin { origin in
            let connection = try await HTTP2Connection(to: origin.address)
            let broken = try await connection.open(.stream("/a.ts", ["one"]), isBodyOpen: true)
            let whole = try await connection.open(.stream("/b.ts", ["one"]), isBodyOpen: true)
            broken.abort()
            whole.send("two")
            whole.finish()
            #expect(try await whole.response().status == 201)
            #expect(try await connection.open(.get("/b.ts")).response().body == "onetwo")
            let response = try await connection.open(.get("/a.ts")).response()
            #expect(response.end != .whole || response.status == 404)
        }
    }

    @Test func `uploads and readers share one connection`() async throws {
        try await withOrigin { origin in
            let connection = try await HTTP2Connection(to: origin.address)
            let uploads = try await (0..<30).asyncMap { number in
                try await connection.open(.stream("/\(number).ts", ["start"], "Expect: 100-continue"), isBodyOpen: true)
            }
            for upload in uploads { try await upload.interim(100) }
            let readers = try await (0..<30).asyncMap { try await connection.open(.get("/\($0).ts")) }
            for reader in readers { try await reader.body("start") }
            for _ in 0..<10 { for (number, upload) in uploads.enumerated() { upload.send(" \(number)") } }
            for upload in uploads { upload.finish() }
            for (number, reader) in readers.enumerated() {
                let response = try await reader.response()
                #expect(response.end == .whole)
                #expect(response.body == "start" + String(repeating: " \(number)", count: 10))
            }
        }
    }
}
