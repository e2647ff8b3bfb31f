import NIOSSL
import OriginAccess
import SystemPackage

/// The files that hold secrets and rules. They are read at the start, and again when the origin is told to.
package struct OriginFiles: Sendable, Equatable {
    /// A certificate chain and its key, each a PEM file.
    package struct Certificate: Sendable, Equatable {
        package var chain: String
        package var key: String

        package init(chain: String, key: String) {
            self.chain = chain
            self.key = key
        }
    }

    package var publishTokens: String?
    package var signingKeys: String?
    package var cors: String?
    /// All listeners are encrypted where there is one.
    package var certificate: Certificate?
    /// Who has to have signed the certificate of whoever publishes.
    package var publishClientCA: String?

    package init() {}

    private static let sizeLimit = 1 << 20

    /// Reads a file and makes of it what it holds.
    static func parse<Value>(
        _ path: String, _ parse: (String) throws(AccessFileError) -> Value
    ) throws(OriginFileError) -> Value {
        let text = try read(path)
        do throws(AccessFileError) {
            return try parse(text)
        } catch {
            throw OriginFileError(path: path, reason: "\(error)")
        }
    }

    private static func read(_ path: String) throws(OriginFileError) -> String {
        var bytes: [UInt8] = []
        do {
            let file = try FileDescriptor.open(FilePath(path), .readOnly)
            try file.closeAfter {
                var piece = [UInt8](repeating: 0, count: 64 << 10)
                while bytes.count <= sizeLimit {
                    let count = try unsafe piece.withUnsafeMutableBytes { unsafe try file.read(into: $0) }
                    guard count > 0 else { break }
                    bytes.append(contentsOf: piece.prefix(count))
                }
            }
        } catch {
            throw OriginFileError(path: path, reason: "it cannot be read: \(error)")
        }
        guard bytes.count <= sizeLimit else { throw OriginFileError(path: path, reason: "it is larger than 1 MiB") }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw OriginFileError(path: path, reason: "it is not UTF-8 text")
        }
        return text
    }

    /// - Parameter clientCA: who has to have signed a client's certificate; nil where clients need none.
    static func context(_ certificate: Certificate, clientCA: String?) throws(OriginFileError) -> NIOSSLContext {
        let chain: [NIOSSLCertificateSource]
        do {
            chain = try NIOSSLCertificate.fromPEMFile(certificate.chain).map { .certificate($0) }
        } catch {
            throw OriginFileError(path: certificate.chain, reason: "it is no PEM certificate chain: \(error)")
        }
        let key: NIOSSLPrivateKey
        do {
            key = try NIOSSLPrivateKey(file: certificate.key, format: .pem)
        } catch {
            throw OriginFileError(path: certificate.key, reason: "it is no PEM private key: \(error)")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["h2", "http/1.1"]
        if let clientCA {
            do {
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(clientCA))
            } catch {
                throw OriginFileError(path: clientCA, reason: "it is no PEM certificate: \(error)")
            }
            configuration.certificateVerification = .noHostnameVerification
        }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw OriginFileError(
                path: certificate.chain, reason: "it does not go with the key in \(certificate.key): \(error)")
        }
    }
}

/// A file that cannot be used, and why; it names no secret.
package struct OriginFileError: Error, CustomStringConvertible {
    package let path: String
    package let reason: String

    package var description: String { "\(path): \(reason)" }
}
