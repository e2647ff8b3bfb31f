import LibAV
import TestSupport
import Testing
import Transcode

struct RenditionSpecTests {
    static let encoders = ["libx264", "h264_vaapi"]

    private static func list(_ texts: String...) throws -> [RenditionSpec] {
        try RenditionSpec.list(parsing: texts, encoders: encoders)
    }

    private static func video(_ text: String) throws -> RenditionSpec.Video {
        try #require(try list(text).first?.video)
    }

    // MARK: What is accepted

    @Test(arguments: [
        ("1080p", PictureSize(width: 1_920, height: 1_080), 5_000_000),
        ("720p", PictureSize(width: 1_280, height: 720), 2_800_000),
        ("480p", PictureSize(width: 854, height: 480), 1_400_000),
        ("360p", PictureSize(width: 640, height: 360), 800_000),
        ("240p", PictureSize(width: 426, height: 240), 400_000),
    ])
    func `a preset is a box that turns, a bit rate, and what suits live`(
        name: String, box: PictureSize, bits: Int
    ) throws {
        var video = RenditionSpec.Video(box: box, bitsPerSecond: bits, maximumBitsPerSecond: bits / 5 * 6)
        video.turnsWithSource = true
        #expect(try Self.list(name) == [RenditionSpec(name: name, kind: .video(video))])
        #expect(video.encoder == "libx264" && video.preset == "veryfast" && video.tune == "zerolatency")
        #expect(video.profile == nil && !video.allowsUpscale && video.frameRate == nil)
    }

    @Test func `source and audio are renditions without a picture of their own`() throws {
        #expect(
            try Self.list("source,audio") == [
                RenditionSpec(name: "source", kind: .source), RenditionSpec(name: "audio", kind: .audio),
            ])
    }

    @Test func `settings belong to the rendition before them`() throws {
        let specs = try Self.list(
            "720p,fps=25,source,name=small,size=320x180,video-bitrate=200k,audio,audio-bitrate=64k")
        #expect(specs.map(\.name) == ["720p", "source", "small", "audio"])
        #expect(specs[0].video?.frameRate == FrameRate(25))
        #expect(specs[2].video?.box == PictureSize(width: 320, height: 180))
        #expect(specs[2].video?.bitsPerSecond == 200_000)
        #expect(specs[3].audio == RenditionSpec.Audio(bitsPerSecond: 64_000))
    }

    @Test func `one list, elements of a list and settings in elements of their own say the same`() throws {
        let expected = try Self.list("source,720p,fps=30,480p")
        #expect(try Self.list("source", "720p,fps=30", "480p") == expected)
        #expect(try Self.list("source", "720p", "fps=30", "480p") == expected)
        #expect(try Self.list(" source , 720p ,fps = 30,,480p, ") == expected)
    }

    @Test func `every setting reaches the specification`() throws {
        let spec = try #require(
            try Self.list(
                "name=a_b-1,size=1600x900,fps=30000/1001,video-bitrate=2.5M,max-bitrate=2600k,video-encoder=libx264,"
                    + "preset=slow,tune=film+zerolatency,profile=main,encoder-options=bf=2:x264-params=aq-mode=2,"
                    + "audio-bitrate=96k,audio-channels=1,upscale=yes"
            ).first)
        var video = RenditionSpec.Video(
            box: PictureSize(width: 1_600, height: 900), bitsPerSecond: 2_500_000, maximumBitsPerSecond: 2_600_000)
        video.allowsUpscale = true
        video.frameRate = FrameRate(30_000, 1_001)
        video.preset = "slow"
        video.tune = "film+zerolatency"
        video.profile = "main"
        video.encoderOptions = [.init(name: "bf", value: "2"), .init(name: "x264-params", value: "aq-mode=2")]
        let audio = RenditionSpec.Audio(bitsPerSecond: 96_000, channelCount: 1)
        #expect(spec == RenditionSpec(name: "a_b-1", kind: .video(video), audio: audio))
    }

    @Test func `a new bit rate takes the highest one along, a new size stops the turning`() throws {
        let video = try Self.video("720p,video-bitrate=1M,size=960x540")
        #expect(video.bitsPerSecond == 1_000_000 && video.maximumBitsPerSecond == 1_200_000)
        #expect(video.box == PictureSize(width: 960, height: 540) && !video.turnsWithSource)
    }

    @Test func `without a size a rendition is as large as the source`() throws {
        #expect(try Self.video("name=same,video-bitrate=3M").box == nil)
    }

    @Test func `without a bit rate a rendition has that of the preset of its height`() throws {
        #expect(try Self.video("name=wide,size=960x480").bitsPerSecond == 1_400_000)
    }

    @Test func `an encoder other than libx264 gets the words that are given, as they are`() throws {
        let plain = try Self.video("720p,video-encoder=h264_vaapi")
        #expect(plain.preset == nil && plain.tune == nil && plain.profile == nil)
        let given = try Self.video("720p,profile=578,preset=p4,video-encoder=h264_vaapi")
        #expect(given.preset == "p4" && given.profile == "578")
    }

    @Test func `tune none is no tune`() throws {
        #expect(try Self.video("720p,tune=none").tune == nil)
    }

    @Test func `a backslash keeps commas and colons in an encoder's option`() throws {
        let video = try Self.video(#"720p,encoder-options=x264-params=deblock=-1\,-1\:aq-mode=3:level=4.1,fps=25"#)
        #expect(
            video.encoderOptions == [
                .init(name: "x264-params", value: "deblock=-1,-1:aq-mode=3"), .init(name: "level", value: "4.1"),
            ])
        #expect(video.frameRate == FrameRate(25))
    }

    // MARK: What is refused

    @Test(arguments: [
        ("", RenditionError.noRendition),
        (" , ", .noRendition),
        ("1080", .unknownPreset("1080")),
        ("720P", .unknownPreset("720P")),
        ("fps=30", .settingWithoutRendition("fps=30")),
        ("720p,bitrate=2M", .unknownKey("bitrate", rendition: "720p")),
        ("720p,=2M", .unknownKey("", rendition: "720p")),
        ("720p,fps=30,fps=30", .givenTwice(key: "fps", rendition: "720p")),
        ("720p,720p", .duplicateName("720p")),
        ("720p,name=720p,size=640x360", .duplicateName("720p")),
        ("name=x", .missingBitRate(rendition: "x")),
        ("name=x,size=700x700", .missingBitRate(rendition: "x")),
        ("name=720p,fps=30", .missingBitRate(rendition: "720p")),
    ])
    func `a list that makes no sense is refused`(text: String, error: RenditionError) {
        #expect(throws: error) { try RenditionSpec.list(parsing: [text], encoders: Self.encoders) }
    }

    @Test(arguments: [
        (
            "size",
            ["1281x720", "1280x721", "14x16", "16x14", "8194x16", "16x8194", "1280", "1280x", "x720", "-2x16", "0x0"]
        ),
        (
            "fps",
            ["0", "-1", "0.5", "241", "30/0", "0/1", "30/", "/1", "abc", "", "1e3", "nan", "99999999999999999999"]
        ),
        (
            "video-bitrate",
            ["0", "15999", "15k", "201M", "2.5", "0.0001k", "-5M", "5G", "M", "99999999999999999999", ""]
        ),
        ("max-bitrate", ["2799k", "401M", "0"]),
        ("video-encoder", ["libx265", "", "LIBX264"]),
        ("preset", ["fastest", ""]),
        ("tune", ["fast", "", "film+", "film,", "film+grain"]),
        ("profile", ["High", "hi", ""]),
        ("encoder-options", ["", "bf", "=2", "bf=", "bf=2:", ":bf=2"]),
        ("audio-bitrate", ["0", "7999", "513k"]),
        ("audio-channels", ["0", "9", "-1", "two", "02", ""]),
        ("upscale", ["maybe", ""]),
    ])
    func `a value that makes no sense is refused, by its key and rendition`(key: String, values: [String]) {
        for value in values {
            let text = value.replacing(",", with: #"\,"#)
            do throws(RenditionError) {
                _ = try RenditionSpec.list(parsing: ["720p,\(key)=\(text)"], encoders: Self.encoders)
                Issue.record("\(key)=\(value) was accepted")
            } catch {
                guard case .invalidValue(_, key, "720p", _) = error else {
                    Issue.record("\(key)=\(value): \(error)")
                    continue
                }
            }
        }
    }

    @Test(arguments: ["", "playlist", "Big", "a b", "a/b", "..", "ü", String(repeating: "a", count: 33)])
    func `a name that cannot be a file's is refused`(name: String) {
        let error = #expect(throws: RenditionError.self) {
            try RenditionSpec.list(parsing: ["name=\(name),size=1280x720"], encoders: Self.encoders)
        }
        guard case .invalidValue(name, "name", _, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test(arguments: [
        ("source,fps=30", "fps", "source"), ("source,audio-bitrate=96k", "audio-bitrate", "source"),
        ("audio,size=640x360", "size", "audio"), ("audio,audio-channels=1,preset=fast", "preset", "audio"),
    ])
    func `source takes no settings, and audio none of a picture`(text: String, key: String, rendition: String) {
        let error = #expect(throws: RenditionError.self) {
            try RenditionSpec.list(parsing: [text], encoders: Self.encoders)
        }
        guard case .notApplicable(key, rendition, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test(arguments: [
        ("1080", "there is no preset “1080”; the presets are source, 1080p, 720p, 480p, 360p, 240p, audio"),
        (
            "720p,fps=500",
            "720p has fps=500; fps is frames a second from 1 to 240, such as 30, 12.5 or 30000/1001"
        ),
        (
            "480p,max-bitrate=1M",
            "480p has max-bitrate=1M; max-bitrate is bits a second from 1400k to 400M, such as 96k, 2.5M or 2500000"
        ),
        (
            "480p,video-encoder=x264",
            "480p has video-encoder=x264; video-encoder is an H.264 encoder of this libavcodec: libx264, h264_vaapi"
        ),
        (
            "name=720p,fps=30",
            "720p has no video-bitrate, which is needed unless its size has a preset's height "
                + "(1080, 720, 480, 360, 240); for the preset, write 720p without name="
        ),
        ("source,fps=30", "source has no fps: it passes on what the encoder sends and takes no settings"),
    ])
    func `a refusal says what is wrong and what is accepted`(text: String, description: String) {
        let error = #expect(throws: RenditionError.self) {
            try RenditionSpec.list(parsing: [text], encoders: Self.encoders)
        }
        #expect(error?.description == description)
    }

    @Test func `random text is accepted or refused, and never more than that`() {
        var random = RandomNumbers(seed: 1)
        let pieces = [
            "720p", "audio", "source", "name", "fps", "size", "video-bitrate", "max-bitrate", "encoder-options", "=",
            "=",
            ",", ",", ":", "\\", "x", "/", ".", "-", "9", "1280x720", "30000/1001", "99999999999999999999", "0", "ü",
            " ",
        ]
        var accepted = 0
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }
            if (try? RenditionSpec.list(parsing: [text.joined()], encoders: Self.encoders)) != nil { accepted += 1 }
        }
        #expect(accepted > 0)
    }
}
