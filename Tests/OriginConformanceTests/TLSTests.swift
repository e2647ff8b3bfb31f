import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import OriginServer
import OriginStore
import Testing

/// Encryption, and which version of HTTP is agreed on inside it (`RFC 7301`).
@Suite(.timeLimit(.minutes(2))) struct TLSTests {
    private static let path = Case.path

    /// A key and a certificate that it signed itself.
    private static func makeCertificate(_ folder: String, name: String = "localhost") async throws
        -> OriginFiles.Certificate
    {
        let (chain, key) = ("\(folder)/certificate.pem", "\(folder)/key.pem")
        _ = try await Tool.run(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                "/CN=\(name)", "-keyout", key, "-out", chain,
            ])
        return OriginFiles.Certificate(chain: chain, key: key)
    }

    private static func context(_ protocols: [String]) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        configuration.applicationProtocols = protocols
        return try NIOSSLContext(configuration: configuration)
    }

    private func withEncryptedOrigin(
        _ configure: @Sendable (inout OriginConfiguration, String) -> Void = { _, _ in },
        _ body: @Sendable (Origin, String) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let certificate = try await Self.makeCertificate(folder)
            try await withOrigin {
                $0.files.certificate = certificate
                configure(&$0, folder)
            } _: { origin in
                try await body(origin, folder)
            }
        }
    }

    @Test func `both versions are spoken, as the client offers them`() async throws {
        try await withEncryptedOrigin { origin, _ in
            let first = try await HTTP1Connection(to: origin.address, tls: Self.context(["http/1.1"]))
            #expect(try await first.open(Case.object).response().status == 201)
            let second = try await HTTP2Connection(to: origin.address, tls: Self.context(["h2"]))
            for response in [
                try await first.open(.get(Self.path)).response(), try await second.open(.get(Self.path)).response(),
                try await HTTP1Connection(to: origin.address, tls: Self.context([])).open(.get(Self.path)).response(),
                try await HTTP2Connection(to: origin.address, tls: Self.context(["x", "h2", "http/1.1"]))
                    .open(.get(Self.path)).response(),
            ] {
                #expect(response.status == 200)
                #expect(response.body == "0123456789")
            }
        }
    }

    @Test(arguments: HTTPVersion.allCases)
    func `what grows grows inside TLS too, and a cut is a cut`(version: HTTPVersion) async throws {
        try await withEncryptedOrigin {
            configuration, _ in
            configuration.store.resumeWindow = .milliseconds(50)
        } _: { origin, _ in
            for ends in [true, false] {
                let path = "/\(ends).ts"
                let upload: Exchange
                let reader: Exchange
                switch version {
                case .http1:
                    let publisher = try await HTTP1Connection(to: origin.address, tls: Self.context(["http/1.1"]))
                    upload = publisher.open(.stream(path, ["one"], "Expect: 100-continue"), isBodyOpen: true)
                    try await upload.interim(100)
                    reader = try await HTTP1Connection(to: origin.address, tls: Self.context(["http/1.1"])).open(
                        .get(path))
                case .http2:
                    let connection = try await HTTP2Connection(to: origin.address, tls: Self.context(["h2"]))
                    upload = try await connection.open(.stream(path, ["one"], "Expect: 100-continue"), isBodyOpen: true)
                    try await upload.interim(100)
                    reader = try await connection.open(.get(path))
                }
                try await reader.body("one")
                upload.send("two")
                try await reader.body("onetwo")
                if ends { upload.finish() } else { upload.abort() }
                let response = try await reader.response()
                #expect((response.end == .whole) == ends)
                #expect(response.body == "onetwo")
            }
        }
    }

    @Test func `readers who do not take what is encrypted for them keep it from nobody else`() async throws {
        try await withEncryptedOrigin { configuration, _ in
            // Of which an eighth may be copies.
            configuration.store.memoryLimitBytes = 4 << 20
        } _: { origin, _ in
            let body = String(repeating: "0123456789abcdef", count: 100_000)
            let publisher = try await HTTP1Connection(to: origin.address, tls: Self.context(["http/1.1"]))
            #expect(try await publisher.open(.put(Self.path, body)).response().status == 201)
            var stalled: [Exchange] = []
            for _ in 0..<20 {
                let connection = try await HTTP1Connection(
                    to: origin.address, receiveBuffer: 65_536, tls: Self.context(["http/1.1"]))
                // The handshake has to be read.
                try await connection.channel.setOption(.autoRead, value: true).get()
                #expect(try await connection.open(.head(Self.path)).response().status == 200)
                try await connection.channel.setOption(.autoRead, value: false).get()
                stalled.append(connection.open(.get(Self.path)))
            }
            let other = try await HTTP1Connection(to: origin.address, tls: Self.context(["http/1.1"]))
            let response = try await other.open(.get(Self.path)).response()
            #expect(response.status == 200)
            #expect(response.body == body)
            for reader in stalled { reader.startReading() }
            for reader in stalled { #expect(try await reader.response().bytes.readableBytes == body.utf8.count) }
        }
    }

    @Test(arguments: HTTPVersion.allCases)
    func `a large object comes whole to a reader that pauses`(version: HTTPVersion) async throws {
        try await withEncryptedOrigin { origin, _ in
            let body = String(repeating: "0123456789abcdef", count: 300_000)
            let publisher = try await HTTP1Connection(to: origin.address, tls: Self.context(["http/1.1"]))
            #expect(try await publisher.open(.put("/a.ts", body)).response().status == 201)
            let reader: Exchange
            switch version {
            case .http1:
                reader = try await HTTP1Connection(
                    to: origin.address, receiveBuffer: 65_536, tls: Self.context(["http/1.1"])
                ).open(.get("/a.ts"))
            case .http2:
                reader = try await HTTP2Connection(to: origin.address, tls: Self.context(["h2"]))
                    .open(.get("/a.ts"), isPaused: true)
            }
            for _ in 0..<5 { #expect(try await publisher.open(.head("/a.ts")).response().status == 200) }
            reader.startReading()
            let response = try await reader.response()
            #expect(response.end == .whole)
            let isSame = response.body == body
            #expect(isSame)
        }
    }

    @Test func `a new certificate is used once the origin is told, and connections stay`() async throws {
        try await withEncryptedOrigin { origin, folder in
            let kept = try await HTTP1Connection(to: origin.address, tls: Self.context(["http/1.1"]))
            #expect(try await kept.open(Case.object).response().status == 201)
            let upload = kept.open(.stream("/b.ts", ["one"], "Expect: 100-continue"), isBodyOpen: true)
            try await upload.interim(100)
            let before = try await Self.subject(origin)
            #expect(before.contains("localhost"))

            _ = try await Self.makeCertificate(folder, name: "renewed")
            #expect(try await Self.subject(origin) == before)
            origin.server.reload()
            #expect(try await Self.subject(origin).contains("renewed"))

            try Data("nonsense".utf8).write(to: URL(filePath: "\(folder)/certificate.pem"))
            origin.server.reload()
            #expect(try await Self.subject(origin).contains("renewed"))

            upload.send("two")
            upload.finish()
            #expect(try await upload.response().status == 201)
            #expect(try await kept.open(.get("/b.ts")).response().body == "onetwo")
        }
    }

    /// Whom the certificate that a new connection is shown names, by `openssl`.
    private static func subject(_ origin: Origin) async throws -> String {
        let port = try #require(origin.address.port)
        return try await Tool.run(
            "sh",
            ["-c", "openssl s_client -connect 127.0.0.1:\(port) </dev/null 2>/dev/null | openssl x509 -noout -subject"])
    }

    @Test(arguments: [["x"], ["http/1.0", "spdy/3"]])
    func `a client that offers nothing known does not bring the origin down`(protocols: [String]) async throws {
        try await withEncryptedOrigin { origin, _ in
            let connection = try await HTTP1Connection(to: origin.address, tls: Self.context(protocols))
            let response = try await connection.open(.get(Self.path), closes: true).response()
            #expect([0, 404].contains(response.status))
            let other = try await HTTP1Connection(to: origin.address, tls: Self.context(["http/1.1"]))
            #expect(try await other.open(.get(Self.path)).response().status == 404)
        }
    }

    @Test func `a client without encryption is not served, and does not wait for ever`() async throws {
        try await withEncryptedOrigin {
            configuration, _ in
            configuration.requestTimeout = .milliseconds(300)
        } _: { origin, _ in
            for start in ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", FrameConnection.preface, "", "\u{16}\u{3}\u{1}"] {
                let connection = try await HTTP1Connection(to: origin.address)
                connection.send(start)
                try await connection.closed(within: .seconds(10))
            }
            // On a busy host a handshake may take longer than the time.
            var status = 0
            for _ in 0..<20 where status != 404 {
                let other = try await HTTP1Connection(to: origin.address, tls: Self.context(["http/1.1"]))
                status = try await other.open(.get(Self.path)).response().status
            }
            #expect(status == 404)
        }
    }

    @Test func `with an authority for publishers, nobody publishes without its certificate`() async throws {
        try await withEncryptedOrigin { configuration, folder in
            configuration.publishListen = SocketEndpoint(host: "127.0.0.1", port: 0)
            configuration.files.publishClientCA = "\(folder)/certificate.pem"
        } _: { origin, folder in
            let stranger = try await HTTP1Connection(to: origin.publishAddress, tls: Self.context(["http/1.1"]))
            #expect(try await stranger.open(Case.object).response().status == 0)
            // Its own authority's key: self-signed, it is the certificate too.
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.certificateVerification = .none
            configuration.certificateChain = try NIOSSLCertificate.fromPEMFile("\(folder)/certificate.pem").map {
                .certificate($0)
            }
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: "\(folder)/key.pem", format: .pem))
            let known = try await HTTP1Connection(
                to: origin.publishAddress, tls: NIOSSLContext(configuration: configuration))
            #expect(try await known.open(Case.object).response().status == 201)
            let player = try await HTTP1Connection(to: origin.address, tls: Self.context(["http/1.1"]))
            #expect(try await player.open(.get(Self.path)).response().body == "0123456789")
        }
    }
}
