import HLS
import Media
import Testing

@Suite struct LivePlaylistTests {
    private static let date = ProgramDateTime(millisecondsSince1970: 1_795_358_096_000)

    private func make(window: Int = 3, announced: Int = 2, targetDuration: Int = 1) -> LivePlaylist {
        var configuration = LivePlaylist.Configuration()
        configuration.window = window
        configuration.announcedSegments = announced
        configuration.firstNumber = 7
        return LivePlaylist(
            names: .init(rendition: "source", broadcastID: "k3"), configuration: configuration,
            targetDuration: targetDuration)
    }

    private func closed(_ seconds: Double, target: Int = 1) -> Segmenter.Closed {
        Segmenter.Closed(
            duration: Timestamp(value: Int64(seconds * 90_000), timescale: 90_000), targetDuration: target)
    }

    private func date(_ milliseconds: Int64) -> ProgramDateTime {
        ProgramDateTime(millisecondsSince1970: Self.date.millisecondsSince1970 + milliseconds)
    }

    @Test func `the growing segment is listed with those announced behind it`() {
        var live = make()
        #expect(live.playlist == nil)
        #expect(live.segmentStarted(isDiscontinuous: false, programDateTime: Self.date) == "source-k3-7.ts")
        live.segmentCompleted(closed(1.02))
        #expect(live.segmentStarted(isDiscontinuous: false, programDateTime: date(1_020)) == "source-k3-8.ts")
        #expect(
            live.playlist?.render() == """
                #EXTM3U
                #EXT-X-VERSION:3
                #EXT-X-TARGETDURATION:1
                #EXT-X-MEDIA-SEQUENCE:7
                #EXT-X-PROGRAM-DATE-TIME:2026-11-22T14:34:56.000Z
                #EXTINF:1.020,
                source-k3-7.ts
                #EXT-X-PROGRAM-DATE-TIME:2026-11-22T14:34:57.020Z
                #EXTINF:1.020,
                source-k3-8.ts
                #EXT-X-PROGRAM-DATE-TIME:2026-11-22T14:34:58.040Z
                #EXTINF:1.020,
                source-k3-9.ts
                #EXT-X-PROGRAM-DATE-TIME:2026-11-22T14:34:59.060Z
                #EXTINF:1.020,
                source-k3-10.ts

                """)
    }

    @Test func `without announcements only complete segments are listed`() {
        var live = make(announced: 0)
        _ = live.segmentStarted(isDiscontinuous: false, programDateTime: Self.date)
        #expect(live.playlist == nil)
        live.segmentCompleted(closed(1))
        _ = live.segmentStarted(isDiscontinuous: false, programDateTime: date(1_000))
        #expect(live.playlist?.segments.map(\.uri) == ["source-k3-7.ts"])
    }

    @Test func `the window slides and counts what it loses`() {
        var live = make()
        for index in 0..<6 {
            _ = live.segmentStarted(isDiscontinuous: index == 1, programDateTime: date(Int64(index) * 1_000))
            live.segmentCompleted(closed(1))
            #expect(live.playlist?.mediaSequence == 7 + max(0, index - 2))
            #expect(live.playlist?.discontinuitySequence == (index < 4 ? 0 : 1))
        }
        #expect(live.takeExpired() == ["source-k3-7.ts", "source-k3-8.ts", "source-k3-9.ts"])
        #expect(live.takeExpired() == [])
    }

    @Test func `three target durations stay however small the window is`() {
        var live = make(window: 1, targetDuration: 2)
        for index in 0..<20 {
            _ = live.segmentStarted(isDiscontinuous: false, programDateTime: date(Int64(index) * 500))
            live.segmentCompleted(closed(0.5, target: 2))
        }
        #expect(live.playlist?.segments.count == 12 + 2)
        #expect(live.playlist?.mediaSequence == 7 + 8)
    }

    @Test func `a prediction stays within the target duration`() {
        var live = make(targetDuration: 3)
        _ = live.segmentStarted(isDiscontinuous: false, programDateTime: Self.date)
        live.segmentCompleted(closed(2.6, target: 2))
        #expect(live.playlist?.segments.last?.duration == .seconds(2))
    }

    @Test func `an announced segment keeps its name and gets its discontinuity when it starts`() {
        var live = make()
        _ = live.segmentStarted(isDiscontinuous: false, programDateTime: Self.date)
        live.segmentCompleted(closed(1))
        let before = live.playlist
        #expect(before?.segments.map(\.uri) == ["source-k3-7.ts", "source-k3-8.ts", "source-k3-9.ts"])
        #expect(before?.segments.contains { $0.isDiscontinuous } == false)
        #expect(live.segmentStarted(isDiscontinuous: true, programDateTime: date(31_000)) == "source-k3-8.ts")
        #expect(live.playlist?.segments.map(\.isDiscontinuous) == [false, true, false, false])
        #expect(live.playlist?.segments[1].programDateTime == date(31_000))
    }

    @Test func `at the end what was announced goes`() {
        var live = make()
        _ = live.segmentStarted(isDiscontinuous: false, programDateTime: Self.date)
        live.segmentCompleted(closed(1))
        live.end()
        #expect(live.playlist?.segments.map(\.uri) == ["source-k3-7.ts"])
        #expect(live.playlist?.render().hasSuffix("#EXT-X-ENDLIST\n") == true)
    }

    @Test func `at the end a segment that was never completed goes too`() {
        var live = make()
        _ = live.segmentStarted(isDiscontinuous: false, programDateTime: Self.date)
        live.end()
        #expect(live.playlist?.segments.isEmpty == true)
        #expect(live.takeExpired() == ["source-k3-7.ts"])
    }
}
