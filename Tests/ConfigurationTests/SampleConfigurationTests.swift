import FoundationEssentials
import OriginStore
import Runtime
import Testing
import headwater_ingest
import headwater_origin

/// The samples in `deploy/` and the table in `docs/configuration.md` say what the services do by themselves.
struct SampleConfigurationTests {
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static func sample(_ name: String, _ keys: [ConfigurationKey]) throws -> ConfigurationReader {
        let path = root.appending(path: "deploy/\(name)").path
        return try ConfigurationSources(keys: keys, flags: ["config": [path]], environment: [:]).reader()
    }

    private static func nothing(_ keys: [ConfigurationKey]) throws -> ConfigurationReader {
        try ConfigurationSources(keys: keys, flags: [:], environment: [:]).reader()
    }

    /// The settings that a sample leaves to their default.
    private static func unset(_ keys: [ConfigurationKey], in sample: ConfigurationReader) -> [String] {
        keys.map(\.name).filter { sample.texts($0) == nil }
    }

    private static func text(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: root.appending(path: path)), as: UTF8.self)
    }

    @Test func `the ingest's sample equals the ingest's defaults`() throws {
        let sample = try IngestSettings(Self.sample("ingest.yaml", IngestSettings.keys))
        let defaults = try IngestSettings(Self.nothing(IngestSettings.keys))
        #expect(sample == defaults)
    }

    @Test func `the origin's sample equals the origin's defaults`() throws {
        let sample = try OriginSettings(Self.sample("origin.yaml", OriginSettings.keys))
        let defaults = try OriginSettings(Self.nothing(OriginSettings.keys))
        #expect(sample == defaults)
    }

    @Test func `a sample sets everything but what is not set by default`() throws {
        let ingest = try Self.sample("ingest.yaml", IngestSettings.keys)
        #expect(
            Self.unset(IngestSettings.keys, in: ingest) == [
                "origin-token-file", "origin-ca-file", "origin-client-certificate", "origin-client-key", "output",
                "input", "test-pattern", "threads",
            ])
        let origin = try Self.sample("origin.yaml", OriginSettings.keys)
        #expect(
            Self.unset(OriginSettings.keys, in: origin) == [
                "publish-listen", "cdn-cache", "surrogate-cache", "tls-certificate", "tls-key", "publish-client-ca",
                "publish-token-file", "signing-key-file", "cors-file", "data-dir", "stream-memory-limit",
                "connection-limit", "connections-per-address", "threads",
            ])
    }

    @Test(arguments: [
        ("ingest.yaml", "origin-token-file:"), ("ingest.yaml", "origin-ca-file:"),
        ("ingest.yaml", "origin-client-certificate:"), ("ingest.yaml", "origin-client-key:"),
        ("ingest.yaml", "output:"), ("ingest.yaml", "input:"), ("ingest.yaml", "test-pattern:"),
        ("ingest.yaml", "threads:"),
        ("origin.yaml", "publish-listen:"), ("origin.yaml", "threads:"), ("origin.yaml", "cdn-cache:"),
        ("origin.yaml", "surrogate-cache:"), ("origin.yaml", "tls-certificate:"), ("origin.yaml", "tls-key:"),
        ("origin.yaml", "publish-client-ca:"), ("origin.yaml", "publish-token-file:"),
        ("origin.yaml", "signing-key-file:"), ("origin.yaml", "cors-file:"), ("origin.yaml", "data-dir:"),
        ("origin.yaml", "stream-memory-limit:"), ("origin.yaml", "connection-limit:"),
        ("origin.yaml", "connections-per-address:"),
    ])
    func `what is not set by default stands in the sample as a comment`(file: String, line: String) throws {
        #expect(try Self.text("deploy/\(file)").contains("\n# \(line)"))
    }

    @Test func `the origin's sample shows every class of the cache policy`() throws {
        let origin = try Self.sample("origin.yaml", OriginSettings.keys)
        #expect(origin.texts("cache") == CachePolicy().descriptions)
        #expect(CachePolicy().descriptions.count == CachePolicy.Class.allCases.count)
    }

    @Test(arguments: IngestSettings.keys + OriginSettings.keys + [.file])
    func `the documentation tells every flag and environment variable`(key: ConfigurationKey) throws {
        let text = try Self.text("docs/configuration.md")
        #expect(text.contains("`\(key.flag)`"))
        #expect(text.contains("`\(key.environmentVariable)`"))
    }

    @Test(arguments: CachePolicy().descriptions)
    func `the documentation tells every class of the cache policy with its default`(description: String) throws {
        let parts = description.split(separator: "=", maxSplits: 1)
        let text = try Self.text("docs/configuration.md")
        #expect(parts.count == 2)
        #expect(text.contains("| `\(parts[0])` |") && text.contains("| `\(parts[parts.count - 1])` |"))
    }
}
