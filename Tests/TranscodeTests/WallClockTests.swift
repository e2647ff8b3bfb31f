import Testing
import Transcode

@Suite struct WallClockTests {
    @Test(
        arguments: [(1_767_225_599_999, ":59.999"), (1_767_225_601_007, ":01.007"), (-1, ":59.999")]
            as [(Int64, String)])
    func `the clock shows milliseconds`(time: Int64, ending: String) {
        let text = WallClock.text(unixMilliseconds: time)
        #expect(text.hasSuffix(ending))
        #expect(text.count == 12)
    }
}
