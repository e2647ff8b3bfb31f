import Testing
import Transcode

struct LadderPlanTests {
    private static func plan(
        _ text: String, _ size: PictureSize?, pixel: (Int, Int) = (1, 1), audio: Bool = true, passable: Bool = true,
        running: Set<String> = []
    ) throws -> [String] {
        var source = size.map { LadderPlan.Source(size: $0) }
        source?.pixelWidth = pixel.0
        source?.pixelHeight = pixel.1
        source?.isPassable = passable
        let specs = try RenditionSpec.list(parsing: [text], encoders: ["libx264"])
        return LadderPlan.renditions(specs, source: source, hasAudio: audio, running: running).map(\.description)
    }

    private static func size(_ text: String) throws -> PictureSize { try #require(PictureSize(text)) }

    private static let all = "1080p,720p,480p,360p,240p"

    @Test(arguments: [
        ("1920x1080", "1080p=1920x1080 720p=1280x720 480p=854x480 360p=640x360 240p=426x240"),
        ("1280x720", "720p=1280x720 480p=854x480 360p=640x360 240p=426x240"),
        ("3840x2160", "1080p=1920x1080 720p=1280x720 480p=854x480 360p=640x360 240p=426x240"),
        ("640x480", "480p=640x480 360p=480x360 240p=320x240"),
        ("1440x1080", "1080p=1440x1080 720p=960x720 480p=640x480 360p=480x360 240p=320x240"),
        ("2560x1080", "1080p=1920x810 720p=1280x540 480p=854x360 360p=640x270 240p=426x180"),
        ("1080x1920", "1080p=1080x1920 720p=720x1280 480p=480x854 360p=360x640 240p=240x426"),
        ("720x720", "720p=720x720 480p=480x480 360p=360x360 240p=240x240"),
        ("1918x1078", "1080p=1918x1078 720p=1280x720 480p=854x480 360p=640x360 240p=426x240"),
        ("848x480", "480p=848x480 360p=636x360 240p=424x240"),
    ])
    func `pictures fit their box in the source's shape, and none is larger`(source: String, planned: String) throws {
        #expect(try Self.plan(Self.all, Self.size(source)).joined(separator: " ") == planned)
    }

    @Test func `a box of one's own does not turn with the source`() throws {
        #expect(try Self.plan("name=flat,size=640x360", Self.size("1080x1920")) == ["flat=202x360"])
    }

    @Test(arguments: [
        ("720x576", (64, 45), "480p=854x480"), ("720x576", (16, 15), "480p=640x480"),
        ("1440x1080", (4, 3), "480p=854x480"), ("720x480", (8, 9), "480p=640x480"),
        ("1280x720", (0, 1), "480p=854x480"), ("1280x720", (-1, -1), "480p=854x480"),
    ])
    func `pixels become square`(source: String, pixel: (Int, Int), planned: String) throws {
        #expect(try Self.plan("480p", Self.size(source), pixel: pixel) == [planned])
    }

    @Test func `what is larger than the source is enlarged when that is asked for`() throws {
        let size = try Self.size("640x360")
        #expect(try Self.plan("1080p,720p,upscale=yes,360p", size) == ["720p=1280x720", "360p=640x360"])
    }

    @Test func `the smallest of the video stays, at the source's size, when all would be left out`() throws {
        #expect(try Self.plan("720p,480p,1080p,audio", Self.size("320x240")) == ["480p=320x240", "audio"])
    }

    @Test func `none stays for that reason beside a source that is passed on`() throws {
        #expect(try Self.plan("source,720p,480p", Self.size("320x240")) == ["source"])
        #expect(try Self.plan("source,720p,480p", Self.size("320x240"), passable: false) == ["480p=320x240"])
        #expect(try Self.plan("source,720p", Self.size("1280x720"), passable: false) == ["720p=1280x720"])
    }

    @Test func `what runs stays, no larger than the source`() throws {
        let size = try Self.size("640x360")
        #expect(
            try Self.plan(Self.all, size, running: ["720p"]) == ["720p=640x360", "360p=640x360", "240p=426x240"])
        #expect(try Self.plan("720p,upscale=yes,240p", size, running: ["720p"]).first == "720p=1280x720")
    }

    @Test func `a rendition without a size has the source's, made even and square`() throws {
        #expect(try Self.plan("name=same,video-bitrate=1M", Self.size("1279x719")) == ["same=1280x720"])
        #expect(try Self.plan("name=same,video-bitrate=1M", Self.size("720x576"), pixel: (16, 15)) == ["same=768x576"])
        #expect(try Self.plan("name=same,video-bitrate=1M,upscale=yes", Self.size("640x360")) == ["same=640x360"])
    }

    @Test(arguments: [
        ("1x1", (1, 1)), ("2x8192", (1, 1)), ("0x0", (1, 1)), ("-5x7", (1, 1)), ("1280x720", (1, Int.max)),
        ("1280x720", (Int.max, 1)), ("99999x2", (1_000_000, 1)),
    ])
    func `whatever the source says, sizes are even, from 16 to 8192`(source: String, pixel: (Int, Int)) throws {
        let parts = source.split(separator: "x").compactMap { Int($0) }
        var video = LadderPlan.Source(size: PictureSize(width: parts[0], height: parts[1]))
        (video.pixelWidth, video.pixelHeight) = pixel
        let specs = try RenditionSpec.list(
            parsing: ["720p,240p,upscale=yes,name=same,video-bitrate=1M"], encoders: ["libx264"])
        let planned = LadderPlan.renditions(specs, source: video, hasAudio: false, running: ["720p"])
        #expect(planned.count == 3)
        for picture in planned.compactMap(\.picture) {
            #expect((16...8_192).contains(picture.width) && (16...8_192).contains(picture.height))
            #expect(picture.width.isMultiple(of: 2) && picture.height.isMultiple(of: 2))
        }
    }

    @Test func `without video, the audio goes into source and audio`() throws {
        #expect(try Self.plan("source,720p,audio", nil) == ["source", "audio"])
        #expect(try Self.plan("720p,audio", nil) == ["audio"])
    }

    @Test func `without video and an audio rendition, the last of the video carries the audio`() throws {
        #expect(try Self.plan("720p,480p", nil) == ["480p"])
    }

    @Test func `a rendition that runs carries the audio when the video has gone`() throws {
        #expect(try Self.plan("720p,480p,audio", nil, running: ["720p"]) == ["720p", "audio"])
    }

    @Test func `without audio there is no audio rendition, and without anything none at all`() throws {
        #expect(try Self.plan("720p,audio", Self.size("1280x720"), audio: false) == ["720p=1280x720"])
        #expect(try Self.plan("source,720p,audio", nil, audio: false, running: ["720p", "audio"]) == [])
    }
}
