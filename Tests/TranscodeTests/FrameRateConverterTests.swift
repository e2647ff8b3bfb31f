import Media
import TestSupport
import Testing
import Transcode

struct FrameRateConverterTests {
    /// What is shown: a number of a picture and a time in ticks.
    private struct Shown: Equatable {
        var picture: Int
        var time: Int64
    }

    private static func shown(
        _ times: [Int64], _ rate: FrameRate?, segments: Set<Int> = [0], droppedBefore: Set<Int> = []
    ) -> [Shown] {
        var converter = FrameRateConverter(rate)
        var shown: [Shown] = []
        for (index, time) in times.enumerated() {
            let pictures = converter.receive(
                Timestamp(value: time, timescale: 90_000), startsSegment: segments.contains(index),
                fillsGap: !droppedBefore.contains(index))
            shown += pictures.repeats.map { Shown(picture: index - 1, time: $0.value) }
            if let time = pictures.time { shown.append(Shown(picture: index, time: time.value)) }
        }
        return shown
    }

    private static func cfr(_ numerator: Int64, _ denominator: Int64 = 1, count: Int64) -> [Int64] {
        (0..<count).map { 5_000 + $0 * 90_000 * denominator / numerator }
    }

    // MARK: Rates

    @Test func `25 to 50: each picture is shown twice`() {
        let shown = Self.shown(Self.cfr(25, count: 5), FrameRate(50))
        #expect(shown.map(\.picture) == [0, 0, 1, 1, 2, 2, 3, 3, 4])
        #expect(shown.map(\.time) == (0..<9).map { 5_000 + $0 * 1_800 })
    }

    @Test func `30 to 15: every other picture is shown`() {
        let shown = Self.shown(Self.cfr(30, count: 8), FrameRate(15))
        #expect(shown.map(\.picture) == [0, 2, 4, 6])
        #expect(shown.map(\.time) == (0..<4).map { 5_000 + $0 * 6_000 })
    }

    @Test func `60 to 30: every other picture is shown, at its own time`() {
        let shown = Self.shown(Self.cfr(60, count: 60), FrameRate(30))
        #expect(shown.map(\.picture) == Array(stride(from: 0, to: 60, by: 2)))
        #expect(shown.map(\.time) == (0..<30).map { 5_000 + $0 * 3_000 })
    }

    @Test func `60 to 30 in whole milliseconds: every other picture is shown, on the grid`() {
        let times = (0..<60).map { Int64((Double($0) * 1_000 / 60).rounded()) * 90 }
        let shown = Self.shown(times, FrameRate(30))
        #expect(shown.map(\.picture) == Array(stride(from: 0, to: 60, by: 2)))
        #expect(shown.map(\.time) == (0..<30).map { $0 * 3_000 })
    }

    @Test func `30 in whole milliseconds to 30: each picture is shown once, on the grid`() {
        let times = (0..<300).map { Int64((Double($0) * 1_000 / 30).rounded()) * 90 }
        let shown = Self.shown(times, FrameRate(30))
        #expect(shown == (0..<300).map { Shown(picture: $0, time: Int64($0) * 3_000) })
    }

    @Test func `29.97 to 30: one picture a segment of 1001 is shown twice at most, and none is lost`() {
        let times = Self.cfr(30_000, 1_001, count: 3_000)
        let shown = Self.shown(times, FrameRate(30))
        #expect(Set(shown.map(\.picture)) == Set(0..<3_000))
        #expect(shown.count == 3_003 || shown.count == 3_002)
        #expect(shown.map(\.time) == (0..<Int64(shown.count)).map { 5_000 + $0 * 3_000 })
    }

    @Test func `the grid is exact: steps of 29.97 do not drift`() {
        let shown = Self.shown((0..<60_000).map { $0 * 1_500 }, FrameRate(30_000, 1_001))
        #expect(shown.map(\.time) == (0..<Int64(shown.count)).map { $0 * 3_003 })
    }

    @Test func `of pictures close together the one nearest a step is shown`() {
        let shown = Self.shown([0, 1_800, 2_400, 3_000, 3_600], FrameRate(30))
        #expect(shown == [Shown(picture: 0, time: 0), Shown(picture: 3, time: 3_000)])
    }

    @Test func `without a rate pictures keep their times`() {
        #expect(Self.shown([0, 10, 5_000, 5_000, 4_000, 6_000], nil).map(\.time) == [0, 10, 5_000, 6_000])
    }

    // MARK: Segments

    @Test func `a picture that starts a segment keeps its time, and the grid goes on from there`() {
        // 29.97 with a segment at each 30th picture, to 30.
        let times = Self.cfr(30_000, 1_001, count: 120)
        let starts = Set(stride(from: 0, to: 120, by: 30))
        let shown = Self.shown(times, FrameRate(30), segments: starts)
        #expect(shown.map(\.picture) == Array(0..<120))
        for start in starts { #expect(shown.contains(Shown(picture: start, time: times[start]))) }
        #expect(shown[31].time == times[30] + 3_000)
    }

    @Test func `steps before a segment are filled up to half a step before it`() {
        // Steps at 0, 3000, 6000; the segment begins at 7400 or at 7600.
        #expect(Self.shown([0, 7_400], FrameRate(30), segments: [0, 1]).map(\.time) == [0, 3_000, 7_400])
        #expect(Self.shown([0, 7_600], FrameRate(30), segments: [0, 1]).map(\.time) == [0, 3_000, 6_000, 7_600])
    }

    @Test func `a segment that starts where a step is taken already begins a tick later`() {
        // The second picture, 600 ticks early, is shown at 3000.
        let shown = Self.shown([0, 2_400, 2_900], FrameRate(30), segments: [0, 2])
        #expect(shown == [Shown(picture: 0, time: 0), Shown(picture: 1, time: 3_000), Shown(picture: 2, time: 3_001)])
    }

    // MARK: Gaps

    @Test func `the newest picture stays when the source pauses, also one that was dropped`() {
        let shown = Self.shown([0, 3_000, 4_000, 12_000], FrameRate(30))
        #expect(shown.map(\.picture) == [0, 1, 2, 2, 3])
        #expect(shown.map(\.time) == [0, 3_000, 6_000, 9_000, 12_000])
    }

    @Test func `a gap is filled for one second at most`() {
        let shown = Self.shown([0, 90_000 * 60], FrameRate(30))
        #expect(shown.count == 32)
        #expect(shown.suffix(2).map(\.time) == [90_000, 90_000 * 60])
        #expect(Self.shown([0, 90_000 * 60], FrameRate(30), segments: [0, 1]).count == 32)
        #expect(Self.shown([0, 90_000 * 86_400], FrameRate(240)).count <= 242)
    }

    @Test func `what a queue has dropped is not put back`() {
        #expect(Self.shown([0, 12_000], FrameRate(30), droppedBefore: [1]).map(\.time) == [0, 12_000])
        #expect(
            Self.shown([0, 12_500], FrameRate(30), segments: [0, 1], droppedBefore: [1]).map(\.time) == [0, 12_500])
    }

    // MARK: Whatever comes

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `times increase, lie on the grid, and keyframes where segments start`(seed: UInt64) throws {
        var random = RandomNumbers(seed: seed)
        let rates = [
            FrameRate(30), FrameRate(25), FrameRate(30_000, 1_001), FrameRate(60), FrameRate(15), FrameRate(125, 10),
        ]
        let rate = try #require(rates[Int(seed) % rates.count])
        let step = 90_000 / rate.framesPerSecond
        var converter = FrameRateConverter(rate)
        var time: Int64 = Int64.random(in: 0...1_000_000, using: &random)
        var last: Int64 = .min
        var start: Int64 = 0
        var index = 0.0
        for number in 0..<2_000 {
            let startsSegment = number == 0 || random.oneIn(40)
            let pictures = converter.receive(Timestamp(value: time, timescale: 90_000), startsSegment: startsSegment)
            for repeated in pictures.repeats {
                #expect(repeated.value > last && repeated.value <= time)
                last = repeated.value
                index += 1
                #expect(abs(Double(last - start) - index * step) <= 0.5)
            }
            if let shown = pictures.time?.value {
                #expect(shown > last)
                last = shown
                if startsSegment {
                    #expect(shown == time)
                    (start, index) = (time, 0)
                } else {
                    index += 1
                    #expect(abs(Double(last - start) - index * step) <= 0.5)
                    #expect(Double(shown - time) <= step / 4 + 1 && Double(time - shown) < step)
                }
            } else {
                #expect(!startsSegment && pictures.repeats.isEmpty)
            }
            // From 11 to 90 a second, with pauses below a second.
            time +=
                random.oneIn(50)
                ? Int64.random(in: 8_000...80_000, using: &random) : Int64.random(in: 1_000...8_000, using: &random)
        }
    }

    @Test(arguments: [nil, FrameRate(30), FrameRate(240)])
    func `hostile times do not trap, and what is given increases`(rate: FrameRate?) {
        var random = RandomNumbers(seed: 9)
        let times: [Int64] = [.min, .max, 0, -1, 1, .min / 2, .max / 2, 1 << 40, -(1 << 40), 324_000_000, 90_000]
        var converter = FrameRateConverter(rate)
        var last: Int64 = .min
        for _ in 0..<5_000 {
            let time = times.randomElement(using: &random) ?? 0
            let near = random.oneIn(2) ? time : Int64.random(in: 0...1_000_000, using: &random)
            let pictures = converter.receive(
                Timestamp(value: near, timescale: random.oneIn(3) ? 1_000 : 90_000), startsSegment: random.oneIn(5))
            #expect(pictures.repeats.count <= 240)
            for time in pictures.repeats + [pictures.time].compactMap(\.self) {
                #expect(time.value > last)
                last = time.value
            }
        }
    }
}
