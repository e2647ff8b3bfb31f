import HLS
import NIOCore
import Testing

@Suite struct MediaPlaylistTests {
    private static func playlist(
        _ targetDuration: Int, _ segments: [MediaPlaylist.Segment] = [],
        _ change: (inout MediaPlaylist) -> Void = { _ in }
    ) -> MediaPlaylist {
        var playlist = MediaPlaylist(targetDuration: targetDuration)
        playlist.segments = segments
        change(&playlist)
        return playlist
    }

    static let table: [(name: String, text: String, value: MediaPlaylist)] = [
        (
            "the least there is", "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n",
            playlist(1)
        ),
        (
            "a live one",
            """
            #EXTM3U
            #EXT-X-VERSION:3
            #EXT-X-TARGETDURATION:2
            #EXT-X-MEDIA-SEQUENCE:9223372036854775807
            #EXT-X-DISCONTINUITY-SEQUENCE:4
            #EXT-X-PROGRAM-DATE-TIME:2026-11-22T14:54:23.031Z
            #EXTINF:2.000,
            source-a-1.ts
            #EXT-X-DISCONTINUITY
            #EXT-X-PROGRAM-DATE-TIME:2026-11-22T14:54:25.031Z
            #EXT-X-GAP
            #EXTINF:1.966667,
            source-a-2.ts
            #EXT-X-PREFETCH:source-a-3.ts
            #EXT-X-PREFETCH:source-a-4.ts

            """,
            playlist(
                2,
                [
                    .init(
                        uri: "source-a-1.ts", duration: .seconds(2),
                        programDateTime: .init(millisecondsSince1970: 1_795_359_263_031)),
                    .init(
                        uri: "source-a-2.ts", duration: .microseconds(1_966_667), isDiscontinuous: true, isGap: true,
                        programDateTime: .init(millisecondsSince1970: 1_795_359_265_031)),
                ]
            ) {
                $0.mediaSequence = .max
                $0.discontinuitySequence = 4
                $0.prefetchURIs = ["source-a-3.ts", "source-a-4.ts"]
            }
        ),
        (
            "byte ranges",
            """
            #EXTM3U
            #EXT-X-VERSION:4
            #EXT-X-TARGETDURATION:2
            #EXT-X-MEDIA-SEQUENCE:0
            #EXTINF:2.000,
            #EXT-X-BYTERANGE:100@0
            all.ts
            #EXTINF:2.000,
            #EXT-X-BYTERANGE:200
            all.ts
            #EXT-X-ENDLIST

            """,
            playlist(
                2,
                [
                    .init(uri: "all.ts", duration: .seconds(2), byteRange: .init(length: 100, offset: 0)),
                    .init(uri: "all.ts", duration: .seconds(2), byteRange: .init(length: 200)),
                ]
            ) { $0.hasEndList = true }
        ),
        (
            "maps",
            """
            #EXTM3U
            #EXT-X-VERSION:6
            #EXT-X-INDEPENDENT-SEGMENTS
            #EXT-X-TARGETDURATION:1
            #EXT-X-MEDIA-SEQUENCE:0
            #EXT-X-MAP:URI="a,b.mp4",BYTERANGE="720@0"
            #EXTINF:1.000,
            1.m4s
            #EXTINF:1.000,
            2.m4s
            #EXT-X-DISCONTINUITY
            #EXT-X-MAP:URI="c.mp4"
            #EXTINF:1.000,
            3.m4s

            """,
            playlist(
                1,
                [
                    .init(
                        uri: "1.m4s", duration: .seconds(1),
                        map: .init(uri: "a,b.mp4", byteRange: .init(length: 720, offset: 0))),
                    .init(
                        uri: "2.m4s", duration: .seconds(1),
                        map: .init(uri: "a,b.mp4", byteRange: .init(length: 720, offset: 0))),
                    .init(
                        uri: "3.m4s", duration: .seconds(1), isDiscontinuous: true, map: .init(uri: "c.mp4")),
                ]
            ) { $0.independentSegments = true }
        ),
    ]

    @Test(arguments: table)
    func `it reads and writes the same`(_ name: String, text: String, value: MediaPlaylist) throws {
        #expect(value.render() == text)
        #expect(try MediaPlaylist(parsing: text) == value)
        #expect(try Playlist(parsing: ByteBuffer(string: text)) == .media(value))
        let withCarriageReturns = text.replacing("\n", with: "\r\n")
        #expect(try MediaPlaylist(parsing: ByteBuffer(string: withCarriageReturns)) == value)
        #expect(try MediaPlaylist(parsing: String(text.dropLast())) == value)
    }

    @Test func `what ffmpeg and others push is read`() throws {
        let playlist = try MediaPlaylist(
            parsing: """
                #EXTM3U
                #EXT-X-VERSION:9
                # a comment
                #EXT-X-ALLOW-CACHE:YES
                #EXT-X-TARGETDURATION:2
                #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.0
                #EXT-X-PART-INF:PART-TARGET=0.5
                #EXT-X-MEDIA-SEQUENCE:12
                #EXT-X-PLAYLIST-TYPE:EVENT

                #EXT-X-KEY:METHOD=AES-128,URI="key,1.bin",IV=0x01
                #EXTINF:2.600000, a title, with commas
                #EXT-X-PROGRAM-DATE-TIME:2026-11-22T15:54:23.031+0100
                stream12.ts
                #EXTINF:2
                ../other/stream13.ts?a=b#c
                #EXT-X-PART:DURATION=0.5,URI="14.0.ts",INDEPENDENT=YES
                #EXT-X-PRELOAD-HINT:TYPE=PART,URI="14.1.ts"
                """)
        #expect(playlist.mediaSequence == 12)
        #expect(playlist.segments.map(\.duration) == [.milliseconds(2_600), .seconds(2)])
        #expect(playlist.segments[0].programDateTime?.text == "2026-11-22T14:54:23.031Z")
        #expect(
            playlist.uris == ["stream12.ts", "../other/stream13.ts?a=b#c", "key,1.bin", "14.0.ts", "14.1.ts"])
        #expect(playlist.duration == .milliseconds(4_600))
    }

    @Test func `all its addresses are told`() {
        let uris = Self.table.map { Playlist.media($0.value).uris }
        #expect(uris[1] == ["source-a-1.ts", "source-a-2.ts", "source-a-3.ts", "source-a-4.ts"])
        #expect(uris[3] == ["a,b.mp4", "1.m4s", "2.m4s", "c.mp4", "3.m4s"])
    }

    private static let head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n"

    @Test(
        arguments: [
            ("", 1, .missingHeader),
            ("\n#EXTM3U\n", 1, .missingHeader),
            ("\u{FEFF}#EXTM3U\n", 1, .missingHeader),
            ("#EXTM3U8\n", 1, .missingHeader),
            ("#EXTM3U\n#EXTINF:2,\na\n", 0, .missingTargetDuration),
            (head + "#EXTINF:2,\na\u{0}\n", 4, .containsNUL),
            (head + "a.ts\n", 3, .missingTag(tag: "EXTINF")),
            (head + "#EXTINF:2,\na\nb\n", 5, .missingTag(tag: "EXTINF")),
            (head + "#EXTINF:2,\n#EXTINF:2,\na\n", 4, .missingURI(tag: "EXTINF")),
            (head + "#EXTINF:2,\n", 3, .missingURI(tag: "EXTINF")),
            (head + "#EXTINF:-1,\na\n", 3, .invalidValue(tag: "EXTINF")),
            (head + "#EXTINF:1e3,\na\n", 3, .invalidValue(tag: "EXTINF")),
            (head + "#EXTINF:nan,\na\n", 3, .invalidValue(tag: "EXTINF")),
            (head + "#EXTINF:,\na\n", 3, .invalidValue(tag: "EXTINF")),
            (head + "#EXTINF:4294967.295,\na\n", 3, .invalidValue(tag: "EXTINF")),
            (head + "#EXTINF:99999999999999999999999,\na\n", 3, .invalidValue(tag: "EXTINF")),
            ("#EXTM3U\n#EXT-X-TARGETDURATION:2.5\n", 2, .invalidValue(tag: "EXT-X-TARGETDURATION")),
            ("#EXTM3U\n#EXT-X-TARGETDURATION\n", 2, .invalidValue(tag: "EXT-X-TARGETDURATION")),
            (head + "#EXT-X-TARGETDURATION:2\n", 3, .repeatedTag(tag: "EXT-X-TARGETDURATION")),
            (head + "#EXT-X-MEDIA-SEQUENCE:9223372036854775808\n", 3, .invalidValue(tag: "EXT-X-MEDIA-SEQUENCE")),
            (head + "#EXT-X-MEDIA-SEQUENCE:-1\n", 3, .invalidValue(tag: "EXT-X-MEDIA-SEQUENCE")),
            (head + "#EXTINF:2,\na\n#EXT-X-MEDIA-SEQUENCE:1\n", 5, .misplacedTag(tag: "EXT-X-MEDIA-SEQUENCE")),
            (head + "#EXT-X-BYTERANGE:1@2@3\n", 3, .invalidValue(tag: "EXT-X-BYTERANGE")),
            (head + "#EXT-X-PROGRAM-DATE-TIME:yesterday\n", 3, .invalidValue(tag: "EXT-X-PROGRAM-DATE-TIME")),
            (head + "#EXT-X-MAP:BYTERANGE=\"1\"\n", 3, .missingAttribute(tag: "EXT-X-MAP", attribute: "URI")),
            (head + "#EXT-X-MAP:URI=\"a\n", 3, .invalidValue(tag: "EXT-X-MAP")),
            (head + "#EXT-X-MAP:URI=a\"b\n", 3, .invalidValue(tag: "EXT-X-MAP")),
            (head + "#EXT-X-PREFETCH:\n", 3, .invalidValue(tag: "EXT-X-PREFETCH")),
            (head + "#EXT-X-STREAM-INF:BANDWIDTH=1\na\n", 3, .mixedKinds(tag: "EXT-X-STREAM-INF")),
        ] as [(String, Int, PlaylistError.Reason)])
    func `what is wrong is told with its line`(_ text: String, line: Int, reason: PlaylistError.Reason) {
        #expect(throws: PlaylistError(line: line, reason: reason)) { try MediaPlaylist(parsing: text) }
    }

    @Test func `bytes that are not UTF-8 are refused with their line`() {
        var buffer = ByteBuffer(string: "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\na")
        buffer.writeBytes([0xC3, 0x28, 0x0A])
        let error = PlaylistError(line: 4, reason: .invalidUTF8)
        #expect(throws: error) { try Playlist(parsing: buffer) }
        #expect(error.description == "line 4: the text is not UTF-8")
    }

    @Test func `limits hold`() {
        var limits = PlaylistLimits()
        limits.entries = 2
        let three = Self.head + "#EXTINF:2,\na\n#EXTINF:2,\nb\n#EXTINF:2,\nc\n"
        #expect(throws: PlaylistError(line: 8, reason: .tooManyEntries(limit: 2))) {
            try MediaPlaylist(parsing: three, limits: limits)
        }
        limits.lineBytes = 20
        #expect(throws: PlaylistError(line: 2, reason: .lineTooLong(limitBytes: 20))) {
            try MediaPlaylist(parsing: three, limits: limits)
        }
        limits.bytes = 10
        #expect(throws: PlaylistError(line: 0, reason: .tooLong(limitBytes: 10))) {
            try Playlist(parsing: ByteBuffer(string: three), limits: limits)
        }
    }

    @Test(arguments: [
        (0, "0.000"), (11_111, "0.000011"), (999_999_999, "0.999999"), (1_000_000_000, "1.000"),
        (2_499_999_999, "2.499999"), (2_499_988_889, "2.499988"), (1_500_000_000, "1.500"),
        (1_966_666_667, "1.966666"), (12_000_100_000, "12.000100"), (4_004_000_000, "4.004"),
    ])
    func `a duration is written so that it never rounds to more`(nanoseconds: Int, text: String) {
        let segment = MediaPlaylist.Segment(uri: "a", duration: .nanoseconds(nanoseconds))
        #expect(Self.playlist(9, [segment]).render().contains("#EXTINF:\(text),\n"))
    }

    @Test(arguments: [(2_499, 2), (2_500, 3), (2_501, 3), (0, 0), (499, 0), (500, 1)])
    func `halves round up`(milliseconds: Int, seconds: Int) {
        #expect(Duration.milliseconds(milliseconds).roundedSeconds == seconds)
    }
}
