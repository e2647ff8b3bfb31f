import LibAV
import Testing
import Transcode

struct RenditionSpecEncoderTests {
    private static func specs(_ text: String) throws -> [RenditionSpec] {
        try RenditionSpec.list(parsing: [text])
    }

    @Test func `a specification becomes the encoder's settings, the free options last`() throws {
        let video = try #require(
            try Self.specs("720p,profile=main,encoder-options=bf=2:tune=film").first?.video)
        let configuration = video.videoEncoderConfiguration(width: 640, height: 360, framesPerSecond: 25, threads: 3)
        #expect(
            configuration
                == VideoEncoder.Configuration(
                    encoder: "libx264", width: 640, height: 360, framesPerSecond: 25, bitsPerSecond: 2_800_000,
                    maximumBitsPerSecond: 3_360_000, bufferBits: 3_360_000, threads: 3, profile: "main",
                    options: [
                        .init(name: "preset", value: "veryfast"), .init(name: "tune", value: "zerolatency"),
                        .init(name: "bf", value: "2"), .init(name: "tune", value: "film"),
                    ]))
    }

    @Test func `no preset and no tune are no options`() throws {
        var video = RenditionSpec.Video(bitsPerSecond: 1_000_000)
        video.preset = nil
        video.tune = nil
        let configuration = video.videoEncoderConfiguration(width: 16, height: 16, framesPerSecond: 1, threads: 0)
        #expect(configuration.options.isEmpty && configuration.profile == nil)
    }

    @Test(arguments: [
        ("720p", 1_280, 720, 60.0, 8, 1), ("720p", 1_280, 720, 61, 8, 4), ("720p,preset=faster", 1_280, 720, 30, 8, 4),
        ("1080p,preset=ultrafast", 1_920, 1_080, 30, 8, 4), ("1080p", 1_920, 1_080, 30, 2, 2),
        ("1080p", 1_920, 1_080, 30, 0, 1), ("1080p,preset=slow", 320, 180, 1, 3, 3),
    ])
    func `small pictures at light presets get one thread, others up to four`(
        text: String, width: Int, height: Int, rate: Double, processors: Int, threads: Int
    ) throws {
        let video = try #require(try Self.specs(text).first?.video)
        let size = PictureSize(width: width, height: height)
        #expect(video.encoderThreads(size: size, framesPerSecond: rate, processors: processors) == threads)
    }

    @Test func `encoders other than libx264 decide on their threads`() {
        var video = RenditionSpec.Video(bitsPerSecond: 1_000_000)
        video.encoder = "h264_vaapi"
        let size = PictureSize(width: 320, height: 180)
        #expect(video.encoderThreads(size: size, framesPerSecond: 30, processors: 4) == 0)
    }

    @Test(arguments: [
        "source,1080p,720p,480p,360p,240p,audio", "name=same,video-bitrate=2M,fps=29.97",
        "720p,preset=slow,tune=film+zerolatency,profile=baseline,encoder-options=bf=0:x264-params=aq-mode=3",
        "480p,audio-bitrate=96k,audio-channels=6", "name=tiny,size=16x16,video-bitrate=16k",
        #"240p,encoder-options=x264-params=deblock=1\,1\:aq-mode=0"#, "240p,tune=none,encoder-options=bf=2",
    ])
    func `what libx264 and aac take is verified`(text: String) throws {
        try RenditionSpec.verify(try Self.specs(text))
    }

    @Test(arguments: [
        ("source,720p,encoder-options=no-such-option=1", "720p", "no-such-option"),
        ("240p,encoder-options=bf=many", "240p", "bf"),
        ("240p,encoder-options=preset=swift", "240p", "swift"),
    ])
    func `what the encoder does not take is refused, with its reason`(
        text: String, rendition: String, reason: String
    ) throws {
        let specs = try Self.specs(text)
        let error = #expect(throws: RenditionError.self) { try RenditionSpec.verify(specs) }
        guard case .refusedByEncoder("libx264", rendition, let told) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(told.contains(reason))
    }
}
