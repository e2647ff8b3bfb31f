import Foundation
import NIOSSL

/// An authority of this test alone, made by the `openssl` program, that signs certificates for servers and clients.
final class TestAuthority: Sendable {
    struct Failed: Error { let text: String }

    /// A certificate with its key; both are files.
    struct Identity {
        let certificate: String
        let key: String
    }

    private let folder: TemporaryFolder
    /// Its own certificate.
    let file: String

    init(name: String = "Test authority") throws {
        folder = try TemporaryFolder()
        file = "\(folder.path)/authority.pem"
        try openssl(
            "req", "-x509", "-subj", "/CN=\(name)", "-days", "2", "-keyout", "\(folder.path)/authority.key",
            "-out", file, "-addext", "basicConstraints=critical,CA:TRUE")
    }

    /// `alternativeName` is what a client verifies, such as `IP:127.0.0.1`.
    func identity(_ name: String, for alternativeName: String = "IP:127.0.0.1") throws -> Identity {
        let identity = Identity(certificate: "\(folder.path)/\(name).pem", key: "\(folder.path)/\(name).key")
        try openssl(
            "req", "-x509", "-subj", "/CN=\(name)", "-days", "1", "-keyout", identity.key, "-out",
            identity.certificate, "-CA", file, "-CAkey", "\(folder.path)/authority.key", "-addext",
            "subjectAltName=\(alternativeName)", "-addext", "basicConstraints=critical,CA:FALSE")
        return identity
    }

    /// The same key, to be opened with a passphrase.
    func locked(_ identity: Identity) throws -> Identity {
        let key = identity.key + ".locked"
        try run("pkey", "-in", identity.key, "-aes128", "-passout", "pass:secret", "-out", key)
        return Identity(certificate: identity.certificate, key: key)
    }

    /// What a server with this certificate is made of; `clients` signs those of its clients, who must have one then.
    static func server(_ identity: Identity, clients: TestAuthority? = nil) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(identity.certificate).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: identity.key, format: .pem)))
        configuration.applicationProtocols = ["h2", "http/1.1"]
        if let clients {
            configuration.certificateVerification = .noHostnameVerification
            configuration.trustRoots = .file(clients.file)
        }
        return try NIOSSLContext(configuration: configuration)
    }

    private func openssl(_ arguments: String...) throws {
        try run(arguments + ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
    }

    private func run(_ arguments: String...) throws { try run(arguments) }

    private func run(_ arguments: [String]) throws {
        let process = Process()
        let errors = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["timeout", "60", "openssl"] + arguments
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failed(text: text) }
    }
}
