package import Media

/// Decides on each packet, before it is muxed, which segment it belongs to.
///
/// | state | on | becomes |
/// |---|---|---|
/// | waiting | a video keyframe, or any audio packet when there is no video | open |
/// | waiting | anything else | waiting (dropped) |
/// | open | the driving track's packet, where a cut is due (below) | open, the next segment |
/// | open | a discontinuity, or a gap too long for a segment | waiting, or open when the packet can begin a segment |
/// | any | `end()` | ended (all is dropped) |
///
/// With video, a cut is due at a keyframe when 0.95 of the segment duration is reached, or when waiting for one more
/// would reach the target duration + 0.5 s; where any frame may become a keyframe, at the one nearest to the segment
/// duration. Audio alone is cut by time. The target duration starts as the segment duration, rounded up; the first
/// segment that proves longer, since the encoder's keyframes are farther apart, raises it once. From then on a segment
/// that would outlast it is cut at whatever packet comes (`RFC 8216bis §4.4.3.1`: EXTINF < TD + 0.5 s).
package struct Segmenter: ~Copyable {
    private enum State {
        case waiting(isDiscontinuous: Bool)
        case open(Open)
        case ended
    }

    /// The growing segment; times in ticks of 90 kHz.
    private struct Open {
        var start: Int64
        /// The newest decode time of each track in it.
        var lastVideo: Int64?
        var lastAudio: Int64?
    }

    /// In whole seconds.
    package private(set) var targetDuration: Int
    /// Whether the target duration has been raised, and so is final.
    package private(set) var hasRaisedTargetDuration = false
    /// Segments that ended before a packet that is no keyframe, or within a gap.
    package private(set) var forcedCuts = 0
    package private(set) var tracks: Set<TrackKind>

    private var state: State
    private var hasBegun: Bool
    private let segmentTicks: Int64
    private let maximumTicks: Int64
    private let cutsAnywhere: Bool
    private var video = Pace(frame: 3_000)
    private var audio = Pace(frame: 1_920)
    /// The last keyframe since the last discontinuity.
    private var lastKeyframe: Int64?

    /// - Parameter continuesPlaylist: whether segments of an earlier timeline stand in the playlist already, so that
    ///   the first one begins behind a discontinuity.
    package init(
        configuration: Configuration = Configuration(), tracks: Set<TrackKind>, continuesPlaylist: Bool = false
    ) {
        segmentTicks = configuration.segmentTicks
        maximumTicks = configuration.maximumTicks
        cutsAnywhere = configuration.cutsAnywhere
        targetDuration = Int((segmentTicks + 89_999) / 90_000)
        self.tracks = tracks
        hasBegun = continuesPlaylist
        state = .waiting(isDiscontinuous: continuesPlaylist)
    }

    package mutating func receive(
        track: TrackKind, decodeTime: Timestamp, isKeyframe: Bool, isDiscontinuity: Bool
    ) -> Action {
        let time = Self.ticks(decodeTime)
        let begins = tracks.contains(track) && track == driver && (isKeyframe || track == .audio)
        switch state {
        case .ended:
            return .drop
        case .waiting(let wasDiscontinuous):
            let isDiscontinuous = wasDiscontinuous || isDiscontinuity && hasBegun
            guard begins else {
                state = .waiting(isDiscontinuous: isDiscontinuous)
                return .drop
            }
            begin(track, at: time, packetTime: time, isKeyframe: isKeyframe)
            return .begin(isDiscontinuous: isDiscontinuous)
        case .open(let open):
            guard tracks.contains(track) else { return .drop }
            if isDiscontinuity { return interrupt(open, by: track, at: time, begins: begins) }
            return decide(on: track, at: time, isKeyframe: isKeyframe, begins: begins, in: open)
        }
    }

    /// The tracks there are have changed; closes the open segment when that makes another track decide on the cuts.
    package mutating func expect(_ tracks: Set<TrackKind>) -> Closed? {
        let previousDriver = driver
        self.tracks = tracks
        return driver == previousDriver ? nil : discontinuity()
    }

    /// A track's format has changed or a new publisher has come: what follows begins behind a discontinuity.
    package mutating func discontinuity() -> Closed? {
        guard case .open(let open) = state else {
            if case .waiting = state { state = .waiting(isDiscontinuous: hasBegun) }
            return nil
        }
        return interrupt(open)
    }

    /// The broadcast is over.
    package mutating func end() -> Closed? {
        defer { state = .ended }
        guard case .open(let open) = state else { return nil }
        return interrupt(open)
    }
}

extension Segmenter {
    /// How a track's packets follow each other, in ticks.
    private struct Pace {
        /// The distance of the last two, 1 tick to 1 s.
        var frame: Int64
    }

    /// The least time before a limit at which a cut is forced rather than hoped for.
    private static let margin: Int64 = 9_000
    /// How far audio must be ahead of video for video to count as stalled.
    private static let stall: Int64 = 90_000

    /// The track whose packets segments begin with.
    private var driver: TrackKind { tracks.contains(.video) ? .video : .audio }

    /// What a segment must stay below, in ticks.
    private var limit: Int64 {
        let settled = Int64(targetDuration) * 90_000 + 45_000
        return driver == .audio || hasRaisedTargetDuration ? settled : max(settled, maximumTicks + 1)
    }

    /// What a segment lasts that is cut in a gap, in ticks.
    private var nominal: Int64 {
        let settled = Int64(targetDuration) * 90_000
        return driver == .audio || hasRaisedTargetDuration ? settled : max(settled, maximumTicks)
    }

    /// Far from where arithmetic could overflow.
    private static func ticks(_ time: Timestamp) -> Int64 {
        min(max(time.rescaled(to: Timestamp.mpegTimescale).value, -(1 << 60)), 1 << 60)
    }

    private mutating func decide(
        on track: TrackKind, at time: Int64, isKeyframe: Bool, begins: Bool, in open: Open
    ) -> Action {
        let elapsed = time - open.start
        let margin = max(2 * frame(of: track, at: time, in: open), Self.margin)
        let hasStalled = track == .audio && time - (open.lastVideo ?? open.start) > Self.stall
        // Where pictures have stopped although any could be cut at, it is no use to wait for the next.
        let limit = hasStalled && cutsAnywhere ? Int64(targetDuration) * 90_000 + 45_000 : limit
        let isTooLong = elapsed > 0 && elapsed + margin >= limit
        if begins, elapsed < limit, isCutDue(at: time, elapsed: elapsed, track) {
            return cut(open, at: time, before: track, packetTime: time, isKeyframe: isKeyframe, isForced: false)
        }
        guard isTooLong, track == driver || hasStalled else {
            note(track, at: time, isKeyframe: isKeyframe, in: open)
            return .append
        }
        let boundary = elapsed < limit ? time : open.start + nominal
        // In a gap that even the next segment would not bridge there is nothing to cut.
        guard elapsed < limit || time - boundary + margin < limit else {
            return interrupt(open, by: track, at: time, begins: begins)
        }
        return cut(open, at: boundary, before: track, packetTime: time, isKeyframe: isKeyframe, isForced: true)
    }

    /// The track's pace, the shorter of its last two distances: a gap does not make it slow.
    private func frame(of track: TrackKind, at time: Int64, in open: Open) -> Int64 {
        let (frame, last) = track == .video ? (video.frame, open.lastVideo) : (audio.frame, open.lastAudio)
        return min(frame, last.map { max(time - $0, 1) } ?? frame)
    }

    private func isCutDue(at time: Int64, elapsed: Int64, _ track: TrackKind) -> Bool {
        guard track == .video else { return elapsed >= segmentTicks }
        if cutsAnywhere { return elapsed + video.frame / 2 >= segmentTicks }
        if elapsed * 20 >= segmentTicks * 19 { return true }
        let interval = time - (lastKeyframe ?? time)
        return elapsed * 4 >= segmentTicks && elapsed + interval >= Int64(targetDuration) * 90_000 + 45_000
    }

    private mutating func cut(
        _ open: Open, at boundary: Int64, before track: TrackKind, packetTime: Int64, isKeyframe: Bool, isForced: Bool
    ) -> Action {
        if isForced { forcedCuts += 1 }
        let closed = close(lasting: boundary - open.start, isForced: isForced)
        begin(track, at: boundary, packetTime: packetTime, isKeyframe: isKeyframe)
        return .cut(closed, isDiscontinuous: false)
    }

    private mutating func interrupt(_ open: Open, by track: TrackKind, at time: Int64, begins: Bool) -> Action {
        let closed = interrupt(open)
        guard begins else { return .close(closed) }
        begin(track, at: time, packetTime: time, isKeyframe: true)
        return .cut(closed, isDiscontinuous: true)
    }

    /// Ends the segment where its last packet is estimated to end.
    private mutating func interrupt(_ open: Open) -> Closed {
        let ends = [open.lastVideo.map { $0 + video.frame }, open.lastAudio.map { $0 + audio.frame }]
        let end = ends.compactMap(\.self).first { $0 > open.start } ?? open.start + 1
        let closed = close(lasting: min(end - open.start, limit - 1), isForced: false)
        state = .waiting(isDiscontinuous: true)
        lastKeyframe = nil
        return closed
    }

    private mutating func close(lasting ticks: Int64, isForced: Bool) -> Closed {
        let raises = ticks >= Int64(targetDuration) * 90_000 + 45_000
        if raises {
            targetDuration = Int((ticks + 89_999) / 90_000)
            hasRaisedTargetDuration = true
        }
        return Closed(
            duration: Timestamp(value: ticks, timescale: Timestamp.mpegTimescale), targetDuration: targetDuration,
            hasRaisedTargetDuration: raises, isForced: isForced)
    }

    private mutating func begin(_ track: TrackKind, at start: Int64, packetTime: Int64, isKeyframe: Bool) {
        hasBegun = true
        note(track, at: packetTime, isKeyframe: isKeyframe, in: Open(start: start))
    }

    /// Puts the packet into the segment's books.
    private mutating func note(_ track: TrackKind, at time: Int64, isKeyframe: Bool, in open: Open) {
        var open = open
        switch track {
        case .video:
            if let last = open.lastVideo, time > last { video.frame = min(time - last, 90_000) }
            open.lastVideo = max(open.lastVideo ?? time, time)
            if isKeyframe { lastKeyframe = time }
        case .audio:
            if let last = open.lastAudio, time > last { audio.frame = min(time - last, 90_000) }
            open.lastAudio = max(open.lastAudio ?? time, time)
        }
        state = .open(open)
    }
}
