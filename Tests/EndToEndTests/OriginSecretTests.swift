import FoundationEssentials
import Glibc
import Testing

/// Whoever reads the origin's log or metrics learns nothing that opens it.
@Suite struct OriginSecretTests {
    private static let formerToken = "former-0123456789abcdef"
    private static let wrongToken = "wrong-0123456789abcdef"
    private static let wrongSecret = "another-secret-of-32-characters-or-more"
    private static let miswritten = "miswritten*0123456789abcdef"
    private static let tooShort = "too-short-0123456789"
    private static let misplaced = "misplaced-0123456789abcdef"

    @Test func `no secret stands in a log line at any level, or in a metric`() async throws {
        try await withTemporaryFolder { folder in
            let files = try AccessFiles(in: folder)
            let valid = try await AccessFiles.signature(for: "/live/show/")
            let forged = try await AccessFiles.signature(for: "/live/show/", secret: Self.wrongSecret)
            let flags = files.flags + ["--log-level", "trace"]
            let (log, metrics) = try await withOrigin(flags) { origin -> (ServiceLog, String) in
                try await ask(origin, valid: valid, forged: forged)
                try files.write(Self.formerToken + "\n", to: files.tokens)
                origin.send(SIGHUP)
                _ = try await origin.log.line(with: "files read again")
                try await ask(origin, valid: valid, forged: forged)
                let faults = [
                    (files.tokens, Self.miswritten), (files.tokens, "\(AccessFiles.token) \(Self.misplaced)"),
                    (files.keys, "2026b \(Self.tooShort)"),
                ]
                for (number, (path, line)) in faults.enumerated() {
                    let former = try String(contentsOfFile: path, encoding: .utf8)
                    try files.write(line + "\n", to: path)
                    origin.send(SIGHUP)
                    _ = try await origin.log.line(with: "files not read again", count: number + 1)
                    try files.write(former, to: path)
                }
                return (origin.log, try await Metrics(at: origin.admin).text)
            }
            // Something was said of all of it.
            for text in [
                "rule=token", "rule=signature", "rule=path", "/live/show/1.ts", "keys: line 1", "tokens: line 1",
            ] {
                #expect(log.lines.contains { $0.contains(text) }, "\(text)")
            }
            let tokens = [AccessFiles.token, AccessFiles.showToken, Self.formerToken, Self.wrongToken]
            let passwords = tokens.map { String(AccessFiles.basic($0).suffix(20)) }
            let keys = [AccessFiles.secret, Self.wrongSecret]
            let signatures = [valid, forged].map { String($0.suffix(64)) }
            let misplaced = [Self.miswritten, Self.misplaced, Self.tooShort, "session-of-a-viewer"]
            let secrets: [String] = tokens + passwords + keys + signatures + misplaced
            for secret in secrets {
                #expect(!log.lines.contains { $0.contains(secret) }, "\(secret)")
                #expect(!metrics.contains(secret), "\(secret)")
            }
        }
    }

    /// Every way to give a token and a signature, rightly and wrongly.
    private func ask(_ origin: Origin, valid: String, forged: String) async throws {
        let tokens = [AccessFiles.token, AccessFiles.showToken, Self.formerToken, Self.wrongToken]
        for token in tokens {
            for field in [AccessFiles.bearer(token), AccessFiles.basic(token)] {
                _ = try await RawRequest.put("/live/show/1.ts", "x", field).send(to: origin.port)
            }
        }
        _ = try await RawRequest(line: "DELETE /live/other/1.ts", fields: [AccessFiles.bearer(AccessFiles.showToken)])
            .send(to: origin.port)
        for signature in [valid, forged, "hw-signature=\(valid.suffix(64))"] {
            _ = try await RawRequest.get("/live/show/1.ts?\(signature)").send(to: origin.port)
            let cookie = "Cookie: session=session-of-a-viewer; Headwater-Signature=\(signature)"
            _ = try await RawRequest.get("/live/show/1.ts", cookie).send(to: origin.port)
            _ = try await RawRequest.get("/live/../1.ts?\(signature)", cookie).send(to: origin.port)
        }
    }
}
