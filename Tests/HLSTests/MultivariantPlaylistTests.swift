import HLS
import Testing

@Suite struct MultivariantPlaylistTests {
    static let table: [(text: String, value: MultivariantPlaylist)] = [
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na\n", .init(variants: [.init(uri: "a", bandwidth: 1)])),
        (
            """
            #EXTM3U
            #EXT-X-INDEPENDENT-SEGMENTS
            #EXT-X-STREAM-INF:BANDWIDTH=6600000,AVERAGE-BANDWIDTH=6000000,CODECS="avc1.64001f,mp4a.40.2",\
            RESOLUTION=1280x720,FRAME-RATE=29.970
            720p.m3u8
            #EXT-X-STREAM-INF:BANDWIDTH=128000,CODECS="mp4a.40.2"
            audio.m3u8

            """,
            .init(
                variants: [
                    .init(
                        uri: "720p.m3u8", bandwidth: 6_600_000, averageBandwidth: 6_000_000,
                        codecs: "avc1.64001f,mp4a.40.2", resolution: .init(width: 1_280, height: 720),
                        frameRate: 29.97),
                    .init(uri: "audio.m3u8", bandwidth: 128_000, codecs: "mp4a.40.2"),
                ],
                independentSegments: true)
        ),
    ]

    @Test(arguments: table)
    func `it reads and writes the same`(_ text: String, value: MultivariantPlaylist) throws {
        #expect(value.render() == text)
        #expect(try MultivariantPlaylist(parsing: text) == value)
        #expect(try Playlist(parsing: text) == .multivariant(value))
        #expect(Playlist.multivariant(value).uris == value.variants.map(\.uri))
    }

    @Test(arguments: [
        (29.97, "29.970"), (60, "60.000"), (30_000.0 / 1_001, "29.970"), (24_000.0 / 1_001, "23.976"),
        (0.9999, "1.000"),
    ])
    func `frame rates have three decimals`(rate: Double, text: String) {
        let playlist = MultivariantPlaylist(variants: [.init(uri: "a", bandwidth: 1, frameRate: rate)])
        #expect(playlist.render().contains("FRAME-RATE=\(text)\n"))
    }

    @Test func `addresses in other tags are told too`() throws {
        let playlist = try Playlist(
            parsing: """
                #EXTM3U
                #EXT-X-VERSION:6
                #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English, loud",URI="en.m3u8"
                #EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="c",NAME="x",INSTREAM-ID="CC1"
                #EXT-X-STREAM-INF:AUDIO="a",BANDWIDTH=5,PROGRAM-ID=1
                v.m3u8
                #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="i.m3u8"
                """)
        #expect(playlist.uris == ["v.m3u8", "en.m3u8", "i.m3u8"])
    }

    @Test(
        arguments: [
            (
                "#EXTM3U\n#EXT-X-STREAM-INF:CODECS=\"a\"\na\n", 2,
                .missingAttribute(tag: "EXT-X-STREAM-INF", attribute: "BANDWIDTH")
            ),
            (
                "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=x\na\n", 2,
                .missingAttribute(tag: "EXT-X-STREAM-INF", attribute: "BANDWIDTH")
            ),
            (
                "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=1280\na\n", 2,
                .missingAttribute(tag: "EXT-X-STREAM-INF", attribute: "RESOLUTION")
            ),
            ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"a\"b\na\n", 2, .invalidValue(tag: "EXT-X-STREAM-INF")),
            (
                "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-STREAM-INF:BANDWIDTH=1\na\n", 3,
                .missingURI(tag: "EXT-X-STREAM-INF")
            ),
            ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n", 2, .missingURI(tag: "EXT-X-STREAM-INF")),
            ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na\n#EXTINF:1,\nb\n", 4, .mixedKinds(tag: "EXTINF")),
            ("#EXTM3U\n#EXT-X-VERSION:3\n", 0, .unknownKind),
        ] as [(String, Int, PlaylistError.Reason)])
    func `what is wrong is told with its line`(_ text: String, line: Int, reason: PlaylistError.Reason) {
        #expect(throws: PlaylistError(line: line, reason: reason)) { try Playlist(parsing: text) }
    }
}
