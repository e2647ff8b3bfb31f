import Media
import Testing

@Suite struct TimelineTests {
    /// Where a packet went: decode and presentation time in ticks, and whether it was a discontinuity.
    private struct Placed: Equatable {
        var decode: Int64
        var present: Int64
        var jumped: Bool

        init(_ decode: Int64, _ present: Int64? = nil, jumped: Bool = false) {
            self.decode = decode
            self.present = present ?? decode
            self.jumped = jumped
        }
    }

    private static func place(
        _ timeline: inout Timeline, _ track: TrackKind, _ raw: UInt32, _ composition: Int32 = 0
    ) -> Placed {
        let times = timeline.place(track, rawTimestamp: raw, compositionTime: composition)
        return Placed(times.decodeTime.value, times.presentationTime.value, jumped: times.isDiscontinuity)
    }

    private static let start: Int64 = 900_000

    @Test(arguments: [0, 1, 16_800_000, 0x7FFF_FFFF, 0x8000_0000, .max] as [UInt32])
    func `the first packet is at ten seconds`(raw: UInt32) {
        var timeline = Timeline()
        #expect(Self.place(&timeline, .video, raw) == Placed(Self.start))
    }

    @Test func `the other track keeps its distance to the first, to either side`() {
        var timeline = Timeline()
        #expect(Self.place(&timeline, .video, 5_000) == Placed(Self.start))
        #expect(Self.place(&timeline, .audio, 4_100) == Placed(Self.start - 900 * 90))
        #expect(Self.place(&timeline, .audio, 4_121) == Placed(Self.start - 879 * 90))
        #expect(Self.place(&timeline, .video, 5_033) == Placed(Self.start + 33 * 90))
        #expect(timeline.discontinuities == 0)
        #expect(timeline.clampedPackets == 0)
    }

    @Test func `audio from before a new publisher's start is early, where audio has been already`() {
        var timeline = Timeline()
        for step in UInt32(0)..<10 {
            _ = timeline.place(.video, rawTimestamp: step * 33, compositionTime: 0)
            _ = timeline.place(.audio, rawTimestamp: step * 33, compositionTime: 0)
        }
        timeline.restart()
        #expect(timeline.place(.video, rawTimestamp: 1_000, compositionTime: 0).isEarly == false)
        // The new base begins one frame, 33 ms, behind the last.
        for raw in [900, 940, 960] as [UInt32] {
            #expect(timeline.place(.audio, rawTimestamp: raw, compositionTime: 0).isEarly == true)
        }
        let first = timeline.place(.audio, rawTimestamp: 990, compositionTime: 0)
        #expect(first.isEarly == false)
        #expect(first.decodeTime.value == Self.start + (9 * 33 + 33 - 10) * 90)
        // Within a base, audio that steps back is moved, not dropped.
        #expect(timeline.place(.audio, rawTimestamp: 980, compositionTime: 0).isEarly == false)
    }

    @Test(
        arguments: [(UInt32.max - 49, 0), (0x7FFF_FFFF - 49, 0), (0x7FFF_FFFF - 49, 0x8000_0000)] as [(UInt32, UInt32)])
    func `a wrap goes unnoticed, of 32 bits, of 31, and where there is none`(first: UInt32, wrapped: UInt32) {
        var timeline = Timeline()
        #expect(Self.place(&timeline, .video, first) == Placed(Self.start))
        #expect(Self.place(&timeline, .audio, first + 10) == Placed(Self.start + 10 * 90))
        for step in Int64(0)..<10 {  // interleaved: audio is still before the wrap when video is behind it
            #expect(
                Self.place(&timeline, .video, wrapped + UInt32(step * 30)) == Placed(Self.start + (50 + step * 30) * 90)
            )
            if step == 0 {
                #expect(Self.place(&timeline, .audio, first + 40) == Placed(Self.start + 40 * 90))
            }
            #expect(
                Self.place(&timeline, .audio, wrapped + UInt32(step * 30 + 5))
                    == Placed(Self.start + (55 + step * 30) * 90))
        }
        #expect(timeline.discontinuities == 0)
        #expect(timeline.clampedPackets == 0)
    }

    @Test func `months of a stream go through both wraps, masked or not`() {
        for mask: UInt32 in [.max, 0x7FFF_FFFF] {
            var timeline = Timeline()
            var time: Int64 = 0
            for step in 0..<1_400_000 {
                let placed = Self.place(
                    &timeline, step % 2 == 0 ? .video : .audio, UInt32(truncatingIfNeeded: time) & mask)
                guard placed == Placed(Self.start + time * 90) else {
                    Issue.record("mask \(mask), \(time): \(placed)")
                    return
                }
                time += 9_000
            }
            #expect(time > 2 << 32)
        }
    }

    @Test func `composition times carry B-frames`() {
        var timeline = Timeline()
        let frames: [(UInt32, Int32)] = [(0, 80), (40, 200), (80, 80), (120, 0), (160, 40)]
        for (raw, composition) in frames {
            let decode = Self.start + Int64(raw) * 90
            #expect(
                Self.place(&timeline, .video, raw, composition) == Placed(decode, decode + Int64(composition) * 90))
        }
    }

    @Test func `a negative composition time does not show a frame before it is decoded`() {
        var timeline = Timeline()
        #expect(Self.place(&timeline, .video, 0, -40) == Placed(Self.start))
        #expect(Self.place(&timeline, .video, 40, .min) == Placed(Self.start + 3_600))
    }

    @Test func `a small step back is clamped, and the frame shown when it was to be shown`() {
        var timeline = Timeline()
        _ = Self.place(&timeline, .video, 1_000)
        #expect(Self.place(&timeline, .video, 1_040) == Placed(Self.start + 3_600))
        #expect(Self.place(&timeline, .video, 1_030, 50) == Placed(Self.start + 3_601, Self.start + 80 * 90))
        #expect(Self.place(&timeline, .video, 1_030) == Placed(Self.start + 3_602))
        #expect(Self.place(&timeline, .video, 1_080) == Placed(Self.start + 7_200))
        #expect(timeline.clampedPackets == 2)
        #expect(timeline.discontinuities == 0)
    }

    @Test(arguments: [(0, false), (-1_000, false), (-1_001, true), (10_000, false), (10_001, true)] as [(Int64, Bool)])
    func `a step is a jump when it is over one second back or ten forward`(step: Int64, jumps: Bool) {
        var timeline = Timeline()
        _ = Self.place(&timeline, .video, 100_000)
        _ = Self.place(&timeline, .video, 100_040)
        let placed = Self.place(&timeline, .video, UInt32(100_040 + step))
        #expect(placed.jumped == jumps)
        if jumps { #expect(placed == Placed(Self.start + 3_600 + 3_600, jumped: true)) }
        #expect(timeline.discontinuities == (jumps ? 1 : 0))
    }

    @Test(arguments: [-2_000_000, -90_000, -5_000, -1_200, 10_500, 90_000, 1_000_000_000] as [Int64], [0, 1, 5, 20])
    func `both tracks jump together, however late the other one follows`(jump: Int64, late: Int) {
        var timeline = Timeline()
        var last: [TrackKind: Int64] = [:]
        var latest: Int64 = 0
        func place(_ track: TrackKind, _ time: Int64) -> Placed {
            let placed = Self.place(&timeline, track, UInt32(truncatingIfNeeded: time))
            #expect(placed.decode > last[track] ?? 0, "never backwards")
            last[track] = placed.decode
            latest = max(latest, placed.decode)
            return placed
        }
        let base: Int64 = 3_000_000
        for step in Int64(0)..<25 {
            _ = place(.video, base + step * 40)
            _ = place(.audio, base + step * 40 + 15)
        }
        let before = latest
        for step in Int64(25)..<100 {
            let video = place(.video, base + step * 40 + jump)
            #expect(video.jumped == (step == 25))
            if step == 25 { #expect(video.decode == before + 3_600) }
            let follows = step >= 25 + Int64(late)
            let audio = place(.audio, base + step * 40 + 15 + (follows ? jump : 0))
            #expect(!audio.jumped)
            if follows, step > 60 { #expect(audio.decode - video.decode == 15 * 90, "in step again") }
        }
        #expect(timeline.discontinuities == 1)
    }

    @Test func `two tracks on two clocks each keep their own`() {
        var timeline = Timeline()
        for step in Int64(0)..<200 {
            let video = Self.place(&timeline, .video, UInt32(step * 40))
            let audio = Self.place(&timeline, .audio, UInt32(77_000_000 + step * 40))
            #expect(video == Placed(Self.start + step * 3_600))
            #expect(audio == Placed(Self.start + 1_920 + step * 3_600))
        }
        #expect(timeline.discontinuities == 0)
    }

    @Test func `a single stray timestamp leaves both tracks where they were`() {
        var timeline = Timeline()
        for step in Int64(0)..<50 {
            let video = Self.place(&timeline, .video, step == 25 ? 0xDEAD_BEEF : UInt32(1_000 + step * 40))
            let audio = Self.place(&timeline, .audio, UInt32(1_010 + step * 40))
            if step != 25 { #expect(video == Placed(Self.start + step * 3_600)) }
            #expect(audio == Placed(Self.start + 900 + step * 3_600))
        }
        #expect(timeline.discontinuities == 1)
    }

    @Test func `a track that was silent comes back where the other is`() {
        var timeline = Timeline()
        _ = Self.place(&timeline, .audio, 0)
        for step in Int64(0)..<1_000 { _ = Self.place(&timeline, .video, UInt32(step * 40)) }
        #expect(Self.place(&timeline, .audio, 40_000) == Placed(Self.start + 40_000 * 90))
        #expect(timeline.discontinuities == 0)
    }

    @Test func `a new publisher continues one frame behind the last output`() {
        var timeline = Timeline()
        timeline.restart()
        #expect(Self.place(&timeline, .video, 500) == Placed(Self.start))
        _ = Self.place(&timeline, .video, 540)
        _ = Self.place(&timeline, .audio, 560)
        timeline.restart()
        #expect(Self.place(&timeline, .video, 541) == Placed(Self.start + 60 * 90 + 3_600, jumped: true))
        #expect(Self.place(&timeline, .audio, 551) == Placed(Self.start + 70 * 90 + 3_600))
        #expect(Self.place(&timeline, .video, 581) == Placed(Self.start + 100 * 90 + 3_600))
    }

    @Test func `jitter keeps the order of a track`() {
        var timeline = Timeline()
        var last: Int64 = 0
        var state: UInt32 = 7
        for step in UInt32(0)..<5_000 {
            state = state &* 1_664_525 &+ 1_013_904_223
            let placed = Self.place(&timeline, .video, 10_000 + step * 33 + state % 500)
            #expect(placed.decode > last)
            #expect(!placed.jumped)
            last = placed.decode
        }
        #expect(timeline.clampedPackets > 0)
    }
}
