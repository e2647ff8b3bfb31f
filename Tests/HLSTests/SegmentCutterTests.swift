import HLS
import Media
import Testing

@Suite struct SegmentCutterTests {
    private func configuration(cutsAnywhere: Bool) -> Segmenter.Configuration {
        var configuration = Segmenter.Configuration()
        configuration.cutsAnywhere = cutsAnywhere
        return configuration
    }

    /// The ticks at which segments begin, of so many frames of a rate.
    private func cuts(frames: Int, ticksPerFrame: Int64, jitter: [Int64] = [0]) -> [Int64] {
        var cutter = SegmentCutter(configuration: configuration(cutsAnywhere: true))
        _ = cutter.formatsChanged(to: [.video])
        var cuts: [Int64] = []
        for index in 0..<frames {
            let time = Timestamp(
                value: 900_000 + Int64(index) * ticksPerFrame + jitter[index % jitter.count], timescale: 90_000)
            if case .boundary(let boundary) = cutter.receive(
                track: .video, decodeTime: time, presentationTime: time, isKeyframe: true, isDiscontinuity: false,
                now: 0)
            {
                if let begun = boundary.begun { cuts.append(begun.presentationTime.value - 900_000) }
            }
        }
        return cuts
    }

    @Test(arguments: [(3_000, 30), (3_600, 25), (3_003, 30), (1_500, 60), (1_800, 50), (3_750, 24)])
    func `what may be cut anywhere is cut at the frame nearest to the second`(_ ticks: Int64, _ frames: Int) {
        #expect(cuts(frames: 3 * frames, ticksPerFrame: ticks) == (0..<3).map { Int64($0 * frames) * ticks })
    }

    @Test func `times in whole milliseconds do not move a cut to another frame`() {
        // 30 frames a second, 33, 33 and 34 ms apart: up to 60 ticks off.
        #expect(cuts(frames: 90, ticksPerFrame: 3_000, jitter: [0, -30, -60]).map { $0 / 90_000 } == [0, 1, 2])
    }

    @Test func `boundaries are numbered, and know what was before them`() {
        var cutter = SegmentCutter(configuration: configuration(cutsAnywhere: false))
        _ = cutter.formatsChanged(to: [.video])
        func receive(_ milliseconds: Int64, isKeyframe: Bool = true) -> SegmentCutter.Decision {
            cutter.receive(
                track: .video, decodeTime: .milliseconds(milliseconds), presentationTime: .milliseconds(milliseconds),
                isKeyframe: isKeyframe, isDiscontinuity: false, now: 1_000_000 + milliseconds)
        }
        func boundary(_ decision: SegmentCutter.Decision) -> SegmentBoundary? {
            if case .boundary(let boundary) = decision { boundary } else { nil }
        }
        let first = boundary(receive(10_000))
        #expect(first?.number == 1 && first?.closed == nil)
        #expect(first?.begun?.ordinal == 0 && first?.begun?.isDiscontinuous == false)
        #expect(receive(10_500, isKeyframe: false) == .append)
        let second = boundary(receive(11_000))
        #expect(second?.number == 2 && second?.closed?.duration == Timestamp(value: 90_000, timescale: 90_000))
        #expect(second?.begun?.ordinal == 1)
        let broken = cutter.interrupted()
        #expect(broken?.number == 3 && broken?.begun == nil && broken?.closed != nil)
        let third = boundary(receive(12_000))
        #expect(third?.begun?.ordinal == 2 && third?.begun?.isDiscontinuous == true)
        #expect(third?.begun?.earlierDiscontinuities == 0)
        #expect(boundary(receive(13_000))?.begun?.earlierDiscontinuities == 1)
    }
}
