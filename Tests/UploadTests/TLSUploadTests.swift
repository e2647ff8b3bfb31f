import NIOCore
import NIOHTTP1
import NIOSSL
import Testing

import Upload

@Suite(.timeLimit(.minutes(1)))
struct TLSUploadTests {
    let authority: TestAuthority
    let server: TestAuthority.Identity

    init() throws {
        authority = try TestAuthority()
        server = try authority.identity("server")
    }

    @Test func `objects go to an origin over TLS, whole and growing, on connections that are kept`() async throws {
        let origin = try await Origin(tls: TestAuthority.server(server), answer: accept)
        let setup = try UploadSetup([.origin(origin.url) { $0.authorityFile = authority.file }])
        let body = setup.open("/live/s/1.ts")
        body.append(ByteBuffer(bytes: pattern(1_000)))
        // It is there while it grows.
        try await origin.journal.wait(for: { $0.received("/live/s/1.ts") == pattern(1_000) })
        body.append(ByteBuffer(bytes: pattern(300_000, from: 1_000)))
        body.finish()
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 1)
        setup.put("/live/s/s.m3u8", "#EXTM3U")
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 2)
        let events = origin.journal.events
        #expect(events.received("/live/s/1.ts") == pattern(301_000))
        #expect(events.received("/live/s/s.m3u8") == Array("#EXTM3U".utf8))
        #expect(events.heads("/live/s/1.ts").first?.version == .http1_1)
        #expect(events.connections == 1)
        #expect(setup.metrics.total("retries/0") == 0)
        await setup.end()
    }

    /// Uploads one object, in vain; gives the lines of the log, once and as it is told at the end.
    private func refusal(by origin: Origin, of destination: Destination) async throws -> [String] {
        let setup = try UploadSetup([destination])
        setup.put("/live/s/s.m3u8", "#EXTM3U")
        try await setup.metrics.wait(for: "retries/0", total: 3)
        await setup.end()
        #expect(origin.journal.events.heads("/live/s/s.m3u8").isEmpty)
        return setup.log.events
    }

    @Test func `an origin of an unknown authority is sent nothing`() async throws {
        let origin = try await Origin(tls: TestAuthority.server(server), answer: accept)
        let unknown = "is of no known authority, not for this host, or not valid now"
        let other = try TestAuthority(name: "Another")
        let namesake = try TestAuthority()
        let cases = [
            (nil, unknown), (other.file, unknown), (namesake.file, unknown),
            ("/nowhere/authority.pem", "origin-ca-file cannot be used"),
        ]
        for (file, reason) in cases {
            let lines = try await refusal(by: origin, of: .origin(origin.url) { $0.authorityFile = file })
            #expect(lines.count == 1)
            #expect(lines.first?.contains(reason) == true, "\(lines)")
        }
    }

    @Test func `an origin that speaks no TLS is told of`() async throws {
        let origin = try await Origin(answer: accept)
        let url = origin.url.replacing("http:", with: "https:")
        let lines = try await refusal(by: origin, of: .origin(url) { $0.authorityFile = authority.file })
        #expect(lines.first?.contains("no TLS connection: the origin speaks none there") == true)
    }

    @Test func `an origin with another one's certificate is sent nothing`() async throws {
        let other = try authority.identity("other", for: "DNS:other.example")
        let origin = try await Origin(tls: TestAuthority.server(other), answer: accept)
        let lines = try await refusal(by: origin, of: .origin(origin.url) { $0.authorityFile = authority.file })
        #expect(lines.first?.contains("not for this host") == true)
    }

    @Test func `a certificate is shown to an origin that asks for one`() async throws {
        let clients = try TestAuthority()
        let client = try clients.identity("client")
        let origin = try await Origin(tls: TestAuthority.server(server, clients: clients), answer: accept)
        let setup = try UploadSetup([
            .origin(origin.url) {
                $0.authorityFile = authority.file
                $0.certificateFile = client.certificate
                $0.keyFile = client.key
            }
        ])
        setup.put("/live/s/first.m3u8", "#EXTM3U")
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 1)
        #expect(setup.metrics.total("retries/0") == 0)
        await setup.end()

        _ = try await refusal(by: origin, of: .origin(origin.url) { $0.authorityFile = authority.file })
    }

    @Test func `a key that cannot be used is told, and nobody is asked for its passphrase`() async throws {
        let clients = try TestAuthority()
        let locked = try clients.locked(try clients.identity("client"))
        let stranger = try clients.identity("stranger")
        let origin = try await Origin(tls: TestAuthority.server(server, clients: clients), answer: accept)
        for key in [locked.key, stranger.key] {
            let lines = try await refusal(
                by: origin,
                of: .origin(origin.url) {
                    $0.authorityFile = authority.file
                    $0.certificateFile = locked.certificate
                    $0.keyFile = key
                })
            #expect(lines.first?.contains("origin-client-certificate and origin-client-key cannot be used") == true)
        }
    }

    @Test func `files are known by what they hold`() throws {
        let client = try authority.identity("client")
        try OriginAccess.verify(certificateFile: authority.file)
        try OriginAccess.verify(certificateFile: client.certificate)
        try OriginAccess.verify(keyFile: client.key)
        #expect(throws: UploadError.missingPEM(label: "CERTIFICATE")) {
            try OriginAccess.verify(certificateFile: client.key)
        }
        #expect(throws: UploadError.missingPEM(label: "PRIVATE KEY")) {
            try OriginAccess.verify(keyFile: client.certificate)
        }
        #expect(throws: UploadError.self) { try OriginAccess.verify(keyFile: "/nowhere/key.pem") }
    }
}
