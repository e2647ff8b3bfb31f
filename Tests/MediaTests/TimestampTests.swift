import Media
import Testing

@Suite struct TimestampTests {
    @Test(
        arguments: [
            (1_000, 1_000, 90_000, 90_000), (1, 1_000, 90_000, 90), (1, 90_000, 1_000, 0), (45, 90_000, 1_000, 1),
            (44, 90_000, 1_000, 0), (-45, 90_000, 1_000, -1), (-44, 90_000, 1_000, 0), (1, 3, 2, 1), (0, 7, 11, 0),
        ] as [(Int64, Int32, Int32, Int64)])
    func `a rescale rounds to the nearest tick, halves away from zero`(
        _ value: Int64, _ from: Int32, _ to: Int32, _ expected: Int64
    ) {
        #expect(Timestamp(value: value, timescale: from).rescaled(to: to).value == expected)
    }

    @Test func `what does not fit is clamped, never trapped`() {
        #expect(Timestamp(value: .max, timescale: 1).rescaled(to: 90_000).value == .max)
        #expect(Timestamp(value: .min, timescale: 1).rescaled(to: 90_000).value == .min)
        #expect(Timestamp(value: .min, timescale: 2).rescaled(to: 2).value == .min)
        #expect(Timestamp(value: .max, timescale: .max).rescaled(to: .max).value == .max)
        let most = Timestamp(value: .max, timescale: 1)
        #expect((most + most).value == .max)
        #expect((Timestamp(value: .min, timescale: 1) - most).value == .min)
    }

    @Test func `timestamps of different scales compare as instants`() {
        #expect(Timestamp.milliseconds(1) < Timestamp(value: 91, timescale: 90_000))
        #expect(!(Timestamp.milliseconds(1) < Timestamp(value: 90, timescale: 90_000)))
        #expect(Timestamp(value: .min, timescale: 1) < Timestamp(value: .max, timescale: .max))
        #expect((Timestamp.milliseconds(1_500) + Timestamp(value: 90_000, timescale: 90_000)).value == 2_500)
        #expect(Timestamp.milliseconds(1_500).duration == .milliseconds(1_500))
    }
}
