import Subprocess
import Testing

@Suite struct TranscodeSettingsTests {
    /// Renditions that cannot be, and what the message says of them.
    struct Refusal: Sendable, CustomTestStringConvertible {
        var renditions: [String]
        var words: [String]

        var testDescription: String { renditions.joined(separator: " ") }
    }

    static let refusals = [
        Refusal(renditions: ["721p"], words: ["721p", "720p", "480p", "audio"]),
        Refusal(renditions: ["720p,video-encoder=libx999"], words: ["libx999", "libx264"]),
        Refusal(renditions: ["name=a,size=1281x721,video-bitrate=1M"], words: ["1281x721", "size"]),
        Refusal(renditions: ["720p,video-bitrate=0"], words: ["video-bitrate", "0"]),
        Refusal(renditions: ["480p", "720p,preset=ultrafast", "480p"], words: ["480p", "two"]),
        Refusal(renditions: ["720p,preset=warp"], words: ["warp", "ultrafast"]),
        Refusal(renditions: ["720p,bitrate=1M"], words: ["bitrate", "video-bitrate"]),
        Refusal(renditions: ["720p,encoder-options=nosuchoption=1"], words: ["nosuchoption"]),
    ]

    @Test(arguments: refusals)
    func `a rendition that cannot be is refused before anything listens, with the reason`(
        _ refusal: Refusal
    ) async throws {
        let flags = ["--rtmp-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]
        let (status, message) = try await endOfService(
            "headwater-ingest", flags + refusal.renditions.flatMap { ["--rendition", $0] })
        #expect(status == .exited(64))
        #expect(!message.contains("listening"))
        let missing = refusal.words.filter { !message.contains($0) }
        #expect(missing == [], "\(message)")
    }
}
