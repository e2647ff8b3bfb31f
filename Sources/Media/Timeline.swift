/// The machine at the door: puts one publisher's RTMP timestamps on the broadcast's clean timeline.
///
/// | what comes | what it does |
/// |---|---|
/// | the first packet | is placed at 10 s; the other track keeps its distance to it, so it may land before |
/// | a timestamp that wraps, at 2³² or, from senders that mask the sign, at 2³¹ | unwraps it |
/// | a step back in a track of at most 1 s | clamps to the last decode time + 1 tick, counted |
/// | a step back of over 1 s, or over 10 s beyond all | a discontinuity: a new base, one frame behind all put out |
/// | the other track, after that | stays on its base until its timestamps fit the new one better, then shares it |
/// | `restart()` | the next packet takes a new base, the other track follows to it |
/// | audio of a new base that lies before what audio has come to | is early: there is no room for it |
///
/// A base is what must be added to a source time; tracks on the same base keep their distance exactly. Two tracks that
/// never share a base (an encoder with two clocks) each keep their own, without further discontinuities.
/// Sequence headers are not given to it: some are stamped 0 however late the stream is.
package struct Timeline: Sendable {
    /// Where a packet belongs, in ticks of 90 kHz; never negative.
    package struct PacketTimes: Hashable, Sendable {
        /// Above every earlier one of its track.
        package var decodeTime: Timestamp
        /// Not before `decodeTime`, and at most 2.5 s behind it.
        package var presentationTime: Timestamp
        /// Whether the timeline behind this packet has nothing to do with the one before it.
        package var isDiscontinuity: Bool
        /// Whether its time is taken: it is to be dropped.
        package var isEarly = false
    }

    /// Packets whose decode time was moved to stay behind the one before.
    package private(set) var clampedPackets = 0
    /// Packets that were given with `isDiscontinuity`.
    package private(set) var discontinuities = 0

    private var video = Track(frameTicks: 3_000)
    private var audio = Track(frameTicks: 1_920)
    private var basesMade = 0
    private var isRestarting = false

    package init() {}

    /// A new publisher of the same broadcast: the next packet continues one frame behind the last output.
    package mutating func restart() {
        isRestarting = latestOutput != nil
        video.base = nil
        audio.base = nil
    }

    /// Places a packet by its timestamp (`RTMP 1.0 §5.3.1`) and composition time (`FLV 10.1 §E.4.3.1`), both in
    /// milliseconds.
    package mutating func place(
        _ kind: TrackKind, rawTimestamp: UInt32, compositionTime: Int32
    ) -> PacketTimes {
        var track = kind == .video ? video : audio
        var other = kind == .video ? audio : video
        let previousNumber = track.base?.number
        var isDiscontinuity = false

        if let base = Self.base(for: rawTimestamp, of: track, beside: other) {
            track.base = base
        } else {
            isDiscontinuity = track.base != nil || isRestarting
            track.base = newBase(at: rawTimestamp, frameTicks: track.frameTicks)
        }
        isRestarting = false
        // A track that comes to the other's base late may have run on too far to be clamped.
        if let base = track.base, base.number != previousNumber, let last = track.lastOutput,
            base.output < last - Self.ticks(milliseconds: Self.backward)
        {
            let shift = last + track.frameTicks - base.output
            track.base?.offset += shift
            if other.base?.number == base.number { other.base?.offset += shift }
            isDiscontinuity = true
        }
        if isDiscontinuity { discontinuities += 1 }

        let source = track.base?.output ?? Self.start
        let time = Timestamp(value: source, timescale: Timestamp.mpegTimescale)
        if kind == .audio, let last = track.lastOutput, source <= last, track.base?.number != track.outputBase {
            (video, audio) = (other, track)
            return PacketTimes(
                decodeTime: time, presentationTime: time, isDiscontinuity: isDiscontinuity, isEarly: true)
        }
        track.outputBase = track.base?.number
        if track.put(out: source) != source { clampedPackets += 1 }
        let decodeTime = track.lastOutput ?? source
        let composition = min(Int64(compositionTime), Self.longestComposition)
        let presentationTime = max(decodeTime, source + Self.ticks(milliseconds: composition))
        track.latestShown = max(track.latestShown ?? presentationTime, presentationTime)
        (video, audio) = kind == .video ? (track, other) : (other, track)
        return PacketTimes(
            decodeTime: Timestamp(value: decodeTime, timescale: Timestamp.mpegTimescale),
            presentationTime: Timestamp(
                value: presentationTime, timescale: Timestamp.mpegTimescale),
            isDiscontinuity: isDiscontinuity)
    }
}

extension Timeline {
    /// Where the first packet of a broadcast is put, in ticks: far enough from 0 for what comes before it.
    private static let start = ticks(milliseconds: 10_000)
    /// What a track may go back, in milliseconds.
    private static let backward: Int64 = 1_000
    /// What a track may go beyond all others, and how near it must come to share a base, in milliseconds.
    private static let forward: Int64 = 10_000
    /// How far a picture may be shown behind its decoding, in milliseconds: more than 16 pictures at eight a second.
    private static let longestComposition: Int64 = 2_500

    private static func ticks(milliseconds: Int64) -> Int64 { milliseconds * 90 }

    /// The latest time anything put out is shown at.
    private var latestOutput: Int64? {
        switch (video.latestShown, audio.latestShown) {
        case (let video?, let audio?): max(video, audio)
        case (let video, let audio): video ?? audio
        }
    }

    private mutating func newBase(at rawTimestamp: UInt32, frameTicks: Int64) -> Base {
        let source = Int64(rawTimestamp)
        let output = latestOutput.map { $0 + frameTicks } ?? Self.start
        basesMade += 1
        return Base(number: basesMade, offset: output - Self.ticks(milliseconds: source), current: source)
    }

    /// The base a timestamp belongs to, with that timestamp as its current one; nil when it fits none there is.
    private static func base(for rawTimestamp: UInt32, of track: Track, beside other: Track) -> Base? {
        var own: (base: Base, distance: Int64)?
        if var base = track.base {
            let isShared = base.number == other.base?.number
            let newestOfAll = isShared ? max(base.newest, other.base?.newest ?? 0) : base.newest
            let allowed = base.newest - backward...newestOfAll + forward
            if let source = unwrap(rawTimestamp, near: newestOfAll, within: allowed) {
                let distance = (source - base.newest).magnitude
                base.current = source
                base.newest = max(base.newest, source)
                own = (base, Int64(distance))
            }
            if isShared { return own?.base }
        }
        if var base = other.base {
            let allowed = base.newest - forward...base.newest + forward
            if let source = unwrap(rawTimestamp, near: base.newest, within: allowed),
                own.map({ (source - base.newest).magnitude < $0.distance }) ?? true
            {
                base.current = source
                base.newest = source
                return base
            }
        }
        return own?.base
    }

    /// The source time a 32-bit timestamp stands for, by serial arithmetic (`RFC 1982 §3.2`) around a known one.
    ///
    /// Where that leads nowhere it is taken as one of 31 bits, as senders write that treat FLV's timestamp as signed.
    private static func unwrap(
        _ rawTimestamp: UInt32, near reference: Int64, within allowed: ClosedRange<Int64>
    ) -> Int64? {
        let difference = rawTimestamp &- UInt32(truncatingIfNeeded: reference)
        let source = reference + Int64(Int32(bitPattern: difference))
        if allowed.contains(source) { return source }
        let masked = reference + Int64(Int32(bitPattern: difference << 1) >> 1)
        return allowed.contains(masked) ? masked : nil
    }
}

/// What must be added to the source times of a track, and how far they have come.
private struct Base: Sendable {
    /// Tracks with the same number share the base.
    var number: Int
    /// In ticks of 90 kHz.
    var offset: Int64
    /// The source time of the packet in hand, in milliseconds.
    var current: Int64
    /// The newest source time of the track, in milliseconds.
    var newest: Int64

    init(number: Int, offset: Int64, current: Int64) {
        self.number = number
        self.offset = offset
        self.current = current
        self.newest = current
    }

    /// Where the packet in hand belongs, in ticks. At most 10 s are gained a packet, so nothing here can overflow.
    var output: Int64 { current * 90 + offset }
}

private struct Track: Sendable {
    var base: Base?
    /// The last decode time put out, in ticks.
    var lastOutput: Int64?
    /// The latest presentation time, in ticks.
    var latestShown: Int64?
    /// The number of the base that was put out with.
    var outputBase: Int?
    /// The last distance between two decode times, 1 tick to 1 s.
    var frameTicks: Int64

    init(frameTicks: Int64) { self.frameTicks = frameTicks }

    /// Takes `time` for the packet in hand, or the tick behind the last one; gives what was taken.
    mutating func put(out time: Int64) -> Int64 {
        guard let last = lastOutput else {
            lastOutput = time
            return time
        }
        let taken = max(time, last + 1)
        if taken == time { frameTicks = min(taken - last, 90_000) }
        lastOutput = taken
        return taken
    }
}
