import FoundationEssentials
import Runtime
import Testing
import headwater_ingest

/// How the ingest is told by what origins know it.
struct OriginAccessSettingsTests {
    private static func settings(_ flags: [String: [String]]) throws -> IngestSettings {
        try IngestSettings(ConfigurationSources(keys: IngestSettings.keys, flags: flags, environment: [:]).reader())
    }

    private static func refusal(_ flags: [String: [String]]) -> String? {
        let error = #expect(throws: ConfigurationError.self) { try settings(flags) }
        return error?.description
    }

    /// Gives the path of a file with this text for as long as the body takes.
    private static func withFile<Result>(_ text: String, _ body: (String) throws -> Result) throws -> Result {
        let url = FileManager.default.temporaryDirectory.appending(path: "headwater-\(UUID().uuidString)")
        try Data(text.utf8).write(to: url)
        defer { try? FileManager.default.removeItem(at: url) }
        return try body(url.path)
    }

    private static let certificate = "-----BEGIN CERTIFICATE-----\n"
    private static let key = "-----BEGIN EC PRIVATE KEY-----\n"

    @Test func `files that can be used are settings`() throws {
        try Self.withFile("0123456789abcdef\n") { token in
            let settings = try Self.settings(["origin-token-file": [token]])
            #expect(try settings != Self.settings([:]))
        }
        try Self.withFile(Self.certificate + Self.key) { file in
            for flags in [
                ["origin-ca-file": [file]], ["origin-client-certificate": [file]],
                ["origin-client-certificate": [file], "origin-client-key": [file]],
            ] {
                let settings = try Self.settings(flags)
                #expect(try settings != Self.settings([:]))
            }
        }
    }

    @Test(arguments: [
        ("origin-token-file", "a file whose first line is a token"), ("origin-ca-file", "a file of certificates"),
        ("origin-client-certificate", "a file with a certificate"), ("origin-client-key", "a file with a private key"),
    ])
    func `a file that cannot be used is refused with why`(key: String, accepted: String) throws {
        #expect(
            Self.refusal([key: ["/nowhere/file"]])?
                .hasSuffix(
                    ", given by --\(key), is not accepted; it takes \(accepted): it cannot be read: "
                        + "No such file or directory") == true)
        try Self.withFile("not what it should be\n") { file in
            #expect(Self.refusal([key: [file]])?.contains("it takes \(accepted): ") == true)
        }
    }

    @Test func `a token in the place of its file is not shown`() throws {
        #expect(Self.refusal(["origin-token-file": ["s3cret"]])?.contains("s3cret") == false)
    }

    @Test func `a key and its certificate belong together`() throws {
        try Self.withFile(Self.key) { key in
            #expect(Self.refusal(["origin-client-key": [key]])?.contains("of an origin-client-certificate") == true)
        }
        try Self.withFile(Self.certificate) { file in
            #expect(
                Self.refusal(["origin-client-certificate": [file]])?.contains("or an origin-client-key beside it")
                    == true)
        }
    }
}
