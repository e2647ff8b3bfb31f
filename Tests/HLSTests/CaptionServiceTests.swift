import HLS
import Testing

@Suite struct CaptionServiceTests {
    @Test(
        arguments: [
            ("padding", [0xFC, 0x80, 0x80, 0xFD, 0x80, 0x80], []),
            ("CC1: resume caption loading", [0xFC, 0x94, 0x20], [.channel(1)]),
            ("CC2: the same in channel 2", [0xFC, 0x1C, 0x20], [.channel(2)]),
            ("CC3: field 2", [0xFD, 0x15, 0x2C], [.channel(3)]),
            ("characters alone do not tell their channel", [0xFC, 0xC8, 0xE9], []),
            ("not valid", [0xF8, 0x94, 0x20], []),
            ("CEA-708 service 1", [0xFF, 0x02, 0x21], [.service(1)]),
            ("an empty service block", [0xFF, 0x02, 0x20], []),
            ("cut short", [0xFC, 0x94], []),
            ("nothing", [], []),
        ] as [(String, [UInt8], Set<CaptionService>)])
    func `services are told from their data`(_ name: String, _ data: [UInt8], _ services: Set<CaptionService>) {
        #expect(CaptionService.services(in: data) == services)
    }

    @Test func `the multivariant playlist names them for variants with a picture`() {
        var picture = MultivariantPlaylist.Variant(uri: "720p.m3u8", bandwidth: 3_000_000)
        picture.resolution = .init(width: 1_280, height: 720)
        let playlist = MultivariantPlaylist(
            variants: [picture, .init(uri: "audio.m3u8", bandwidth: 128_000)],
            closedCaptions: [.channel(1), .service(1)])
        #expect(
            playlist.render() == """
                #EXTM3U
                #EXT-X-VERSION:7
                #EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="captions",NAME="Captions 1",DEFAULT=NO,AUTOSELECT=YES,INSTREAM-ID="CC1"
                #EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="captions",NAME="Caption service 1",DEFAULT=NO,AUTOSELECT=YES,INSTREAM-ID="SERVICE1"
                #EXT-X-STREAM-INF:BANDWIDTH=3000000,RESOLUTION=1280x720,CLOSED-CAPTIONS="captions"
                720p.m3u8
                #EXT-X-STREAM-INF:BANDWIDTH=128000
                audio.m3u8

                """)
    }
}
