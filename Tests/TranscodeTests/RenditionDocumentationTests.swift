import FoundationEssentials
import Testing
import Transcode

/// The tables in `docs/configuration.md` say what renditions are.
struct RenditionDocumentationTests {
    private static func documentation() throws -> String {
        let root = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return String(decoding: try Data(contentsOf: root.appending(path: "docs/configuration.md")), as: UTF8.self)
    }

    @Test(arguments: RenditionPreset.allCases)
    func `the documentation tells every preset with its box and bit rate`(preset: RenditionPreset) throws {
        let box = preset.spec.video?.box.map { " \($0) " } ?? " "
        let bits = preset.spec.video.map { " `\($0.bitsPerSecond / 1_000)k` " } ?? " "
        #expect(try Self.documentation().contains("\n| `\(preset.rawValue)` |\(box)|\(bits)|"))
    }

    @Test func `the documentation tells every setting of a rendition`() throws {
        let error = #expect(throws: RenditionError.self) {
            try RenditionSpec.list(parsing: ["720p,none=1"], encoders: ["libx264"])
        }
        let keys = try #require(error?.description.split(separator: "are ").last?.split(separator: ", "))
        #expect(keys.count == 13)
        let text = try Self.documentation()
        for key in keys { #expect(text.contains("\n| `\(key)` |"), "\(key)") }
    }
}
