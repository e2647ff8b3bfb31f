import HLS
import Media
import Testing

@Suite struct SegmenterTests {
    /// What became of a run of video frames, 50 ms apart, with keyframes at the given distances in milliseconds.
    private struct Run {
        var durations: [Double] = []
        var raises: [Int] = []
        var forced = 0
        var targetDuration = 0
    }

    private func run(
        keyframesEvery distances: [Int64], seconds: Int64, segment: Duration = .seconds(1), frame: Int64 = 50
    ) -> Run {
        var configuration = Segmenter.Configuration()
        configuration.segmentDuration = segment
        var segmenter = Segmenter(configuration: configuration, tracks: [.video, .audio])
        var result = Run()
        var keyframe: Int64 = 10_000
        var time = keyframe
        var count = 0
        while time < 10_000 + seconds * 1_000 {
            let isKeyframe = time == keyframe
            if isKeyframe {
                keyframe += distances[count % distances.count]
                count += 1
            }
            let action = segmenter.receive(
                track: .video, decodeTime: .milliseconds(time), isKeyframe: isKeyframe, isDiscontinuity: false)
            if case .cut(let closed, _) = action {
                result.durations.append(closed.duration.seconds)
                if closed.hasRaisedTargetDuration { result.raises.append(closed.targetDuration) }
            }
            time = min(time + frame, max(keyframe, time + 1))
        }
        result.forced = segmenter.forcedCuts
        result.targetDuration = segmenter.targetDuration
        return result
    }

    private func closed(
        _ ticks: Int64, target: Int = 1, hasRaised: Bool = false, isForced: Bool = false
    ) -> Segmenter.Closed {
        Segmenter.Closed(
            duration: Timestamp(value: ticks, timescale: 90_000), targetDuration: target,
            hasRaisedTargetDuration: hasRaised, isForced: isForced)
    }

    @Test func `a broadcast starts at the first video keyframe`() {
        var segmenter = Segmenter(tracks: [.video, .audio])
        func receive(_ track: TrackKind, _ time: Int64, _ isKeyframe: Bool) -> Segmenter.Action {
            segmenter.receive(
                track: track, decodeTime: .milliseconds(time), isKeyframe: isKeyframe, isDiscontinuity: false)
        }
        #expect(receive(.audio, 0, true) == .drop)
        #expect(receive(.video, 10, false) == .drop)
        #expect(receive(.video, 20, true) == .begin(isDiscontinuous: false))
        #expect(receive(.audio, 15, true) == .append)
        #expect(receive(.video, 60, false) == .append)
        #expect(receive(.video, 719, true) == .append)
        #expect(receive(.video, 970, true) == .cut(closed(950 * 90), isDiscontinuous: false))
    }

    @Test func `a track that is not expected is dropped`() {
        var segmenter = Segmenter(tracks: [.video])
        let first = segmenter.receive(
            track: .video, decodeTime: .milliseconds(0), isKeyframe: true, isDiscontinuity: false)
        let audio = segmenter.receive(
            track: .audio, decodeTime: .milliseconds(0), isKeyframe: true, isDiscontinuity: true)
        #expect(first == .begin(isDiscontinuous: false))
        #expect(audio == .drop)
    }

    @Test func `keyframes eight seconds apart raise the target duration once`() {
        let result = run(keyframesEvery: [8_000], seconds: 41)
        #expect(result.durations == [8, 8, 8, 8, 8])
        #expect(result.raises == [8])
        #expect(result.forced == 0)
    }

    @Test func `a longer interval may raise it late, and after that cuts are forced`() {
        let result = run(keyframesEvery: [1_000, 1_000, 2_000, 8_000], seconds: 25)
        #expect(result.durations.prefix(3) == [1, 1, 2])
        #expect(result.raises == [2])
        #expect(result.targetDuration == 2)
        #expect(result.forced > 0)
        #expect(result.durations.allSatisfy { $0 < 2.5 })
    }

    @Test func `after a forced cut the next keyframe begins a segment again`() {
        let result = run(keyframesEvery: [2_000, 3_000, 3_000], seconds: 9)
        #expect(result.durations == [2, 2.4, 0.6, 2.4, 0.6])
    }

    @Test func `a keyframe that never comes forces a cut at the maximum`() {
        let result = run(keyframesEvery: [100_000], seconds: 60)
        #expect(result.durations.first.map { $0 > 19 && $0 <= 20 } == true)
        #expect(result.raises == [20])
        #expect(result.forced == result.durations.count)
    }

    @Test(arguments: [
        (750, 750), (700, 1_400), (500, 1_000), (950, 950), (949, 949), (600, 1_200), (1_499, 1_499),
    ])
    func `short groups of pictures do not overshoot`(interval: Int64, segment: Int64) {
        let result = run(keyframesEvery: [interval], seconds: 12)
        #expect(result.durations.allSatisfy { $0 == Double(segment) / 1_000 })
        #expect(result.targetDuration == 1)
        #expect(result.forced == 0)
    }

    @Test(arguments: [(1_499, 1, [Int]()), (1_500, 2, [2]), (1_501, 2, [2]), (2_000, 2, [2]), (2_001, 3, [3])])
    func `a duration counts as it is rounded`(interval: Int64, target: Int, raises: [Int]) {
        let result = run(keyframesEvery: [interval], seconds: 20)
        #expect(result.targetDuration == target)
        #expect(result.raises == raises)
    }

    @Test(arguments: [(Duration.milliseconds(500), 1), (.seconds(1), 1), (.milliseconds(1_001), 2), (.seconds(6), 6)])
    func `the target duration starts as the segment duration rounded up`(segment: Duration, target: Int) {
        var configuration = Segmenter.Configuration()
        configuration.segmentDuration = segment
        let segmenter = Segmenter(configuration: configuration, tracks: [.video])
        let found = segmenter.targetDuration
        #expect(found == target)
    }

    @Test func `audio alone is cut by time`() {
        var segmenter = Segmenter(tracks: [.audio])
        var cuts: [Int64] = []
        for index in 0..<200 {
            let time = Timestamp(value: Int64(index) * 1_920, timescale: 90_000)
            let action = segmenter.receive(track: .audio, decodeTime: time, isKeyframe: true, isDiscontinuity: false)
            if index == 0 { #expect(action == .begin(isDiscontinuous: false)) }
            if case .cut(let closed, isDiscontinuous: false) = action { cuts.append(closed.duration.value) }
        }
        #expect(cuts == [90_240, 90_240, 90_240, 90_240])
    }

    @Test func `behind a discontinuity video is dropped until a keyframe`() {
        var segmenter = Segmenter(tracks: [.video, .audio])
        func receive(
            _ track: TrackKind, _ time: Int64, _ isKeyframe: Bool, jumps: Bool = false
        ) -> Segmenter.Action {
            segmenter.receive(
                track: track, decodeTime: .milliseconds(time), isKeyframe: isKeyframe, isDiscontinuity: jumps)
        }
        _ = receive(.video, 0, true)
        _ = receive(.video, 40, false)
        #expect(receive(.video, 80, false, jumps: true) == .close(closed(80 * 90)))
        #expect(receive(.audio, 90, true) == .drop)
        #expect(receive(.video, 120, false) == .drop)
        #expect(receive(.video, 160, true) == .begin(isDiscontinuous: true))
        #expect(receive(.video, 200, false) == .append)
        #expect(receive(.video, 240, true, jumps: true) == .cut(closed(80 * 90), isDiscontinuous: true))
    }

    @Test func `a gap that no segment can bridge is a discontinuity`() {
        var segmenter = Segmenter(tracks: [.audio])
        func receive(_ time: Int64) -> Segmenter.Action {
            segmenter.receive(
                track: .audio, decodeTime: .milliseconds(time), isKeyframe: true, isDiscontinuity: false)
        }
        _ = receive(0)
        _ = receive(20)
        #expect(receive(2_000) == .cut(closed(90_000, isForced: true), isDiscontinuous: false))
        #expect(receive(2_020) == .cut(closed(1_020 * 90), isDiscontinuous: false))
        #expect(receive(2_040) == .append)
        #expect(receive(9_000) == .cut(closed(40 * 90), isDiscontinuous: true))
    }

    @Test func `a gap does not make the segments behind it short`() {
        var segmenter = Segmenter(tracks: [.audio])
        var actions: [Segmenter.Action] = []
        for time in [Int64(0), 20, 40, 700, 720, 740, 760] {
            actions.append(
                segmenter.receive(
                    track: .audio, decodeTime: .milliseconds(time), isKeyframe: true, isDiscontinuity: false))
        }
        #expect(actions.dropFirst().allSatisfy { $0 == .append })
    }

    @Test func `segments go on with audio while video stalls`() {
        var segmenter = Segmenter(tracks: [.video, .audio])
        func receive(_ track: TrackKind, _ time: Int64) -> Segmenter.Action {
            segmenter.receive(
                track: track, decodeTime: .milliseconds(time), isKeyframe: track == .audio || time % 2_000 == 0,
                isDiscontinuity: false)
        }
        for time in stride(from: Int64(0), through: 4_100, by: 50) { _ = receive(.video, time) }
        var durations: [Double] = []
        for time in stride(from: Int64(4_000), to: 14_000, by: 20) {
            if case .cut(let closed, isDiscontinuous: false) = receive(.audio, time) {
                #expect(closed.isForced)
                durations.append(closed.duration.seconds)
            }
        }
        #expect(durations.count == 4)
        #expect(durations.allSatisfy { $0 > 2 && $0 < 2.5 })
    }

    @Test func `what is estimated of a last packet stays within the target duration`() {
        var segmenter = Segmenter(tracks: [.audio])
        for time in [Int64(0), 20, 900] {
            _ = segmenter.receive(
                track: .audio, decodeTime: .milliseconds(time), isKeyframe: true, isDiscontinuity: false)
        }
        let last = segmenter.end()
        #expect(last == closed(134_999))
    }

    @Test func `the end closes what is open and no more`() {
        var segmenter = Segmenter(tracks: [.video])
        let nothing = segmenter.discontinuity()
        #expect(nothing == nil)
        for time in [Int64(0), 40, 80] {
            _ = segmenter.receive(
                track: .video, decodeTime: .milliseconds(time), isKeyframe: time == 0, isDiscontinuity: false)
        }
        let last = segmenter.end()
        #expect(last == closed(120 * 90))
        let again = segmenter.end()
        #expect(again == nil)
        let late = segmenter.receive(
            track: .video, decodeTime: .milliseconds(120), isKeyframe: true, isDiscontinuity: false)
        #expect(late == .drop)
    }

    @Test func `a discontinuity before the first segment shows only where a playlist is continued`() {
        for continues in [false, true] {
            var segmenter = Segmenter(tracks: [.video], continuesPlaylist: continues)
            _ = segmenter.discontinuity()
            let first = segmenter.receive(
                track: .video, decodeTime: .milliseconds(0), isKeyframe: true, isDiscontinuity: true)
            #expect(first == .begin(isDiscontinuous: continues))
        }
    }

    @Test func `video that comes to an audio broadcast closes its segment`() {
        var segmenter = Segmenter(tracks: [.audio])
        _ = segmenter.receive(track: .audio, decodeTime: .milliseconds(0), isKeyframe: true, isDiscontinuity: false)
        let same = segmenter.expect([.audio])
        #expect(same == nil)
        let changed = segmenter.expect([.audio, .video])
        #expect(changed == closed(1_920))
        let audio = segmenter.receive(
            track: .audio, decodeTime: .milliseconds(21), isKeyframe: true, isDiscontinuity: false)
        #expect(audio == .drop)
        let video = segmenter.receive(
            track: .video, decodeTime: .milliseconds(30), isKeyframe: true, isDiscontinuity: false)
        #expect(video == .begin(isDiscontinuous: true))
    }
}
