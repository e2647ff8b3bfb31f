import HLS
import Media
import Testing

@Suite struct ProgramClockTests {
    private func media(_ milliseconds: Int64) -> Timestamp { .milliseconds(milliseconds) }

    @Test func `time runs with the media, not with the arrival`() {
        var clock = ProgramClock()
        #expect(clock.time(of: media(10_000), now: 1_000_000, isNew: false) == 1_000_000)
        #expect(clock.time(of: media(11_000), now: 1_001_090, isNew: false) == 1_001_000)
        #expect(clock.time(of: media(12_000), now: 1_001_900, isNew: false) == 1_002_000)
    }

    @Test func `a discontinuity, a lead and a long lag set it anew`() {
        var clock = ProgramClock()
        _ = clock.time(of: media(10_000), now: 1_000_000, isNew: false)
        #expect(clock.time(of: media(11_000), now: 1_009_000, isNew: true) == 1_009_000)
        #expect(clock.time(of: media(13_000), now: 1_010_000, isNew: false) == 1_010_000)
        #expect(clock.time(of: media(14_000), now: 1_020_000, isNew: false) == 1_020_000)
    }
}
