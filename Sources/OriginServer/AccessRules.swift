import NIOSSL
import OriginAccess

/// Who may read and write, as the files say that can be loaded again while the origin runs.
final class AccessRules: Sendable {
    /// Nil: anyone may publish.
    let publishTokens: PublishTokens?
    /// Nil: reading needs no signature.
    let signingKeys: SigningKeys?
    let cors: CORSPolicy
    private let tls: NIOSSLContext?
    private let publishTLS: NIOSSLContext?

    /// - Throws: ``OriginFileError``
    init(_ files: OriginFiles) throws(OriginFileError) {
        publishTokens = try files.publishTokens.map { path throws(OriginFileError) in
            try OriginFiles.parse(path) { text throws(AccessFileError) in try PublishTokens(parsing: text) }
        }
        signingKeys = try files.signingKeys.map { path throws(OriginFileError) in
            try OriginFiles.parse(path) { text throws(AccessFileError) in try SigningKeys(parsing: text) }
        }
        cors =
            try files.cors.map { path throws(OriginFileError) in
                try OriginFiles.parse(path) { text throws(AccessFileError) in try CORSPolicy(parsing: text) }
            } ?? CORSPolicy()
        tls = try files.certificate.map { certificate throws(OriginFileError) in
            try OriginFiles.context(certificate, clientCA: nil)
        }
        publishTLS = try files.certificate.map { certificate throws(OriginFileError) in
            try OriginFiles.context(certificate, clientCA: files.publishClientCA)
        }
    }

    /// What a listener's connections are encrypted with; nil where they are not.
    func tls(for listener: ListenerRole) -> NIOSSLContext? {
        listener.mayRead ? tls : publishTLS
    }
}
