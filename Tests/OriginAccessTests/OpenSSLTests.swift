import OriginAccess
import Subprocess
import Testing

/// The recipe of docs/access.md, run as it stands there.
@Suite struct OpenSSLTests {
    static let recipe = #"""
        q="hw-prefix=/live/show/&hw-expires=$(($(date +%s)+3600))&hw-key=$ID"; echo "$q&hw-signature=$(printf %s "$q" | openssl dgst -sha256 -hmac "$SECRET" -r | cut -d' ' -f1)"
        """#

    @Test func `the documented openssl line makes a signature that is valid for an hour`() async throws {
        let secret = #"it's $HOME "quoted" `and` \n 0123456789"#.filter { $0 != " " }
        let result = try await run(
            .name("sh"),
            arguments: ["-c", "command -v openssl >/dev/null || { echo none; exit; }; \(Self.recipe); date +%s"],
            environment: .inherit.updating(["ID": "2026a", "SECRET": secret]),
            output: .string(limit: 4096), error: .discarded)
        let lines = result.standardOutput.split(separator: "\n")
        guard lines != ["none"] else { return }
        try #require(lines.count == 2)
        let now = try #require(Int(lines[1]))
        let keys = try SigningKeys(parsing: "2026a \(secret)")
        func verdict(_ path: String, at time: Int) -> SignatureVerdict {
            keys.verdict(query: lines[0], cookies: [], path: path, unixTime: time)
        }
        #expect(verdict("/live/show/a.ts", at: now) == .valid)
        #expect(verdict("/live/show/a.ts", at: now + 3600) == .expired)
        #expect(verdict("/live/other/a.ts", at: now) == .invalid)
    }
}
