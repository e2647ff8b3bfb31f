import TestSupport
import HLS
import Media
import Testing

/// Random broadcasts through the segmenter and the live playlist, every version held against the rules.
@Suite struct LiveHistoryTests {
    @Test(arguments: 0..<16) func `no broadcast breaks a rule of the playlist`(_ block: Int) throws {
        for index in 0..<125 {
            let seed = UInt64(block * 1_000 + index)
            do {
                var broadcast = RandomBroadcast(seed: seed)
                try broadcast.run()
            } catch {
                Issue.record("seed \(seed): \(error)")
                return
            }
        }
    }
}

/// An encoder's life: two clocks ticking, keyframes near or far, gaps, jumps and changes of format.
private struct RandomBroadcast: ~Copyable {
    struct Wrong: Error, CustomStringConvertible { var description: String }

    private var random: RandomNumbers
    private var segmenter: Segmenter
    private var playlist: LivePlaylist
    private var history: PlaylistHistory
    private let tracks: Set<TrackKind>
    private let keyframeDistances: [Int64]
    private let videoFrame: Int64
    private let audioFrame: Int64
    /// Where the segments began that continue each other, and what they last together, in ticks.
    private var runStart: Int64 = 0
    private var runLength: Int64 = 0
    private var raises = 0

    init(seed: UInt64) {
        random = RandomNumbers(seed: seed)
        tracks = [[.video, .audio], [.video], [.audio]].randomElement(using: &random) ?? [.video]
        let segmentDuration: Duration =
            [.milliseconds(500), .seconds(1), .milliseconds(1_500), .seconds(2), .seconds(6)]
            .randomElement(using: &random) ?? .seconds(1)
        keyframeDistances =
            [
                [400], [500], [750], [999, 1_001], [1_499], [1_500], [2_000], [8_000], [4_000, 1_000],
                [200, 7_000, 500, 1_400], [30_000], [1_000, 1_000, 1_000, 9_000],
            ].randomElement(using: &random) ?? [1_000]
        videoFrame = random.oneIn(4) ? 1_000 : Int64.random(in: 60...220, using: &random)
        audioFrame = Int64.random(in: 90...200, using: &random)
        var configuration = Segmenter.Configuration()
        configuration.segmentDuration = segmentDuration
        segmenter = Segmenter(configuration: configuration, tracks: tracks)
        var live = LivePlaylist.Configuration()
        live.window = Int.random(in: 1...6, using: &random)
        live.announcedSegments = Int.random(in: 0...3, using: &random)
        live.segmentDuration = segmentDuration
        live.firstNumber = Int.random(in: 0...5, using: &random)
        playlist = LivePlaylist(
            names: .init(rendition: "source", broadcastID: "b\(seed)"), configuration: live,
            targetDuration: segmenter.targetDuration)
        history = PlaylistHistory(announced: live.announcedSegments)
    }

    mutating func run() throws {
        var video: Int64 = 10_000
        var audio = 10_000 + Int64.random(in: -900...900, using: &random)
        var keyframe = video
        var keyframes = 0
        for _ in 0..<Int.random(in: 50...500, using: &random) {
            if random.oneIn(150) {  // a gap, in one track or both
                let gap = Int64.random(in: 100...9_900, using: &random)
                if random.oneIn(2) { video += gap }
                if random.oneIn(2) { audio += gap }
            }
            if random.oneIn(300) { try close(segmenter.discontinuity()) }
            let isDiscontinuity = random.oneIn(200)
            let isVideo = tracks.contains(.video) && (!tracks.contains(.audio) || video <= audio)
            if isVideo {
                let isKeyframe = video >= keyframe
                if isKeyframe {
                    keyframe = video + keyframeDistances[keyframes % keyframeDistances.count]
                    keyframes += 1
                }
                try receive(.video, video, isKeyframe: isKeyframe, isDiscontinuity: isDiscontinuity)
                video += videoFrame + Int64.random(in: -1...1, using: &random)
            } else {
                try receive(.audio, audio, isKeyframe: true, isDiscontinuity: isDiscontinuity)
                audio += audioFrame
            }
        }
        try close(segmenter.end())
        playlist.end()
        try record()
    }

    private mutating func receive(
        _ track: TrackKind, _ milliseconds: Int64, isKeyframe: Bool, isDiscontinuity: Bool
    ) throws {
        let action = segmenter.receive(
            track: track, decodeTime: .milliseconds(milliseconds), isKeyframe: isKeyframe,
            isDiscontinuity: isDiscontinuity)
        switch action {
        case .drop, .append: return
        case .begin(let isDiscontinuous):
            try begin(isKeyframe, milliseconds, isDiscontinuous: isDiscontinuous)
        case .cut(let closed, isDiscontinuous: true):
            try close(closed)
            try begin(isKeyframe, milliseconds, isDiscontinuous: true)
        case .cut(let closed, isDiscontinuous: false):
            try close(closed)
            if !closed.isForced {
                try require(isKeyframe, "a segment begins without a keyframe")
                try require(runLength == milliseconds * 90 - runStart, "durations do not add up")
            }
            start(isDiscontinuous: false, milliseconds)
            try record()
        case .close(let closed):
            try close(closed)
        }
    }

    private mutating func begin(_ isKeyframe: Bool, _ milliseconds: Int64, isDiscontinuous: Bool) throws {
        try require(isKeyframe, "a segment begins without a keyframe")
        runStart = milliseconds * 90
        runLength = 0
        start(isDiscontinuous: isDiscontinuous, milliseconds)
        try record()
    }

    private mutating func start(isDiscontinuous: Bool, _ milliseconds: Int64) {
        let date = ProgramDateTime(millisecondsSince1970: 1_800_000_000_000 + milliseconds)
        _ = playlist.segmentStarted(isDiscontinuous: isDiscontinuous, programDateTime: date)
    }

    private mutating func close(_ closed: Segmenter.Closed?) throws {
        guard let closed else { return }
        runLength += closed.duration.value
        raises += closed.hasRaisedTargetDuration ? 1 : 0
        try require(closed.duration.value > 0, "a segment without duration")
        try require(
            closed.duration.value < Int64(closed.targetDuration) * 90_000 + 45_000, "a segment outlasts the target")
        try require(raises <= 1, "the target duration was raised again")
        playlist.segmentCompleted(closed)
        try record()
    }

    private mutating func record() throws {
        guard let version = playlist.playlist else { return }
        let text = version.render()
        try history.record(text)
        guard random.oneIn(8) else { return }
        try require(try MediaPlaylist(parsing: text) == version.truncated, "what was written reads otherwise")
    }

    private func require(_ condition: Bool, _ rule: String) throws {
        guard condition else { throw Wrong(description: rule) }
    }
}

extension MediaPlaylist {
    /// As it reads once written: durations to the microsecond.
    fileprivate var truncated: MediaPlaylist {
        var copy = self
        for index in copy.segments.indices {
            let (seconds, attoseconds) = copy.segments[index].duration.components
            copy.segments[index].duration = .seconds(seconds) + .microseconds(attoseconds / 1_000_000_000_000)
        }
        return copy
    }
}
