import NIOCore
import Testing

@Suite struct BadInputTests {
    /// What is sent to the RTMP port, and the rule the log names.
    struct Attack: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]
        let rule: String
    }

    static let handshake: [UInt8] = [3] + [UInt8](repeating: 0, count: 1_536 * 2)

    static func message(type: UInt8, length: Int? = nil, _ payload: [UInt8]) -> [UInt8] {
        let length = length ?? payload.count
        let bytes = [UInt8(length >> 16 & 0xFF), UInt8(length >> 8 & 0xFF), UInt8(length & 0xFF)]
        return [3, 0, 0, 0] + bytes + [type, 0, 0, 0, 0] + payload
    }

    static let attacks = [
        Attack(
            testDescription: "random bytes", bytes: (0..<4_000).map { UInt8(truncatingIfNeeded: $0 &* 193 &+ 77) },
            rule: "text_client"),
        Attack(
            testDescription: "a TLS hello", bytes: [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3], rule: "tls_client"),
        Attack(
            testDescription: "an HTTP request", bytes: Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8),
            rule: "text_client"),
        Attack(
            testDescription: "half a handshake", bytes: [3] + [UInt8](repeating: 0, count: 700),
            rule: "handshake_deadline_passed"),
        Attack(
            testDescription: "a message of 2 GB",
            bytes: handshake + [2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF]
                + message(type: 9, length: 0xFF_FFFF, []),
            rule: "message_too_long"),
        Attack(
            testDescription: "AMF nested 10,000 deep",
            bytes: handshake + [2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 1, 0, 0]
                + message(
                    type: 20,
                    [2, 0, 7] + Array("connect".utf8) + [0, 0x3F, 0xF0, 0, 0, 0, 0, 0, 0]
                        + (0..<10_000).flatMap { _ in [3, 0, 1, 0x61] as [UInt8] }),
            rule: "amf_too_deep"),
    ]

    @Test func `nobody who breaks the rules disturbs a stream, and the log names each rule`() async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/source.flv"
            try await FFmpeg.makeSource(file, seconds: 16)
            try await withServices(ingest: ["--resume-window", "1s"]) { services in
                async let following = services.publishAndFollow(file, "live/stream")
                _ = try await services.ingestLog.line(with: "broadcast started broadcast.id")
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for attack in Self.attacks {
                        group.addTask {
                            let connection = try await RawConnection(port: services.rtmpPort)
                            await connection.send(attack.bytes)
                            _ = try await connection.untilClosed()
                            _ = try await services.ingestLog.line(with: "rule=\(attack.rule)")
                        }
                    }
                    try await group.waitForAll()
                }
                let violations = try await Curl.get("\(services.ingestMetrics)/metrics").text
                    .split(separator: "\n").filter { $0.hasPrefix("headwater_ingest_violations_total{") }
                #expect(violations.count == Set(Self.attacks.map(\.rule)).count)

                let follower = try await following
                #expect(follower.segments.count == 16)
                try await follower.write(to: "\(folder)/received.ts")
                let sent = try await FFmpeg.frames(file, track: "v")
                let received = try await FFmpeg.frames("\(folder)/received.ts", track: "v")
                #expect(sent.count == 480)
                #expect(received == sent)
            }
        }
    }

    @Test func `the origin refuses what is malformed and stays up`() async throws {
        try await withServices { services in
            let cases: [(request: String, status: String)] = [
                ("GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
                ("GET /live/%2e%2e/x HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
                ("GET / HTTP/1.1\r\nX: \(String(repeating: "a", count: 1 << 20))\r\n\r\n", "431"),
                ("BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", "501"),
                ("\u{16}\u{3}\u{1}nonsense\r\n\r\n", "501"),
                ("GET /nothing HTTP/1.1\r\n\r\n", "400"),
            ]
            for (request, status) in cases {
                let connection = try await RawConnection(port: services.httpPort)
                await connection.send(Array(request.utf8))
                let response = String(decoding: try await connection.untilClosed(), as: UTF8.self)
                #expect(response.hasPrefix("HTTP/1.1 \(status) "), "\(request.prefix(40))")
            }
            let response = try await Curl.get("\(services.http)/live/nothing.ts")
            #expect(response.status == 404)
            #expect(response.headers["cache-control"] == "no-store")
        }
    }

    @Test func `an upload that breaks off is never served as complete`() async throws {
        try await withServices(origin: ["--upload-resume-window", "500ms"]) { services in
            let upload = try await GrowingUpload("/live/a/1.ts", at: services.httpPort)
            await upload.send(Array("hello".utf8))
            try await upload.untilServed()
            let (counts, count) = AsyncStream.makeStream(of: Int.self)
            async let reading = ObjectReading.read(
                "/live/a/1.ts", at: services.httpPort, expecting: ByteBuffer(string: "hello")
            ) { count.yield($0) }
            try await counts.wait { $0 == 5 }
            await upload.breakOff()
            _ = try await services.originLog.line(with: "upload broke off")
            let received = try await reading
            #expect(received.status == 200 && received.isAsExpected && received.bodyBytes == 5)
            #expect(!received.hasEnded)
            let again = try await Curl.get("\(services.http)/live/a/1.ts")
            #expect(again.status == 404)
            #expect(again.headers["cache-control"] == "no-store")
        }
    }
}
