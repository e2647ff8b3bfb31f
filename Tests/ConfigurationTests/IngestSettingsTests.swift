import Runtime
import Testing
import headwater_ingest

struct IngestSettingsTests {
    private static func settings(
        flags: [String: [String]] = [:], environment: [String: String] = [:]
    ) throws -> IngestSettings {
        let sources = ConfigurationSources(keys: IngestSettings.keys, flags: flags, environment: environment)
        return try IngestSettings(sources.reader())
    }

    private static func refusal(of key: String, _ values: [String]) -> String? {
        let error = #expect(throws: ConfigurationError.self) { try settings(flags: [key: values]) }
        return error?.description
    }

    @Test func `renditions are the same from repeated flags and from one list in the environment`() throws {
        let flags = try Self.settings(flags: ["rendition": ["source", "720p,fps=25", "480p"]])
        let environment = try Self.settings(environment: ["HEADWATER_RENDITION": "source, 720p,fps=25,480p"])
        #expect(flags == environment)
        #expect(try flags != Self.settings())
    }

    @Test(arguments: [
        ["240p,video-bitrate=0"], ["720p", "720p"], ["720"], ["240p,video-encoder=libx265"], ["240p,size=427x240"],
        ["240p,encoder-options=no-such-option=1"], [""],
    ])
    func `renditions that cannot work are refused at the start`(values: [String]) {
        let refusal = Self.refusal(of: "rendition", values)
        #expect(
            refusal?.hasPrefix(
                "rendition: “\(values.joined(separator: ", "))”, given by --rendition, is not accepted; it takes "
                    + "renditions such as source,720p or 720p,fps=30,video-bitrate=2M: ") == true)
    }

    @Test func `a refused rendition says what would be accepted`() {
        #expect(Self.refusal(of: "rendition", ["240p,video-encoder=libx265"])?.contains("libx264") == true)
        #expect(Self.refusal(of: "rendition", ["240p,encoder-options=oops=1"])?.contains("oops") == true)
    }

    @Test func `an overlay that there is not is refused`() {
        #expect(Self.refusal(of: "overlay", ["logo"])?.hasSuffix("it takes one of none, clock") == true)
    }

    @Test func `an input without a stream is refused, and its URL is not shown`() {
        let refusal = Self.refusal(of: "input", ["srt://host:9000?passphrase-secret"])
        #expect(refusal?.contains("URL=STREAM") == true)
        #expect(refusal?.contains("secret") == false)
    }

    @Test func `a test pattern without an application is of live`() throws {
        let short = try Self.settings(flags: ["test-pattern": ["test"]])
        #expect(try short == Self.settings(flags: ["test-pattern": ["live/test"]]))
        #expect(try short != Self.settings(flags: ["test-pattern": ["other/test"]]))
    }

    @Test(arguments: ["", "/", "live/", "/test", "live/..", "a b", "live//test"])
    func `a test pattern that is no stream's name is refused`(text: String) {
        #expect(Self.refusal(of: "test-pattern", [text]) != nil)
    }
}
