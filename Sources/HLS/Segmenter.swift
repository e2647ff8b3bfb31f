package import Media

extension Segmenter {
    /// What to do with the packet just received, before it is muxed.
    package enum Action: Hashable, Sendable {
        /// It belongs to no segment.
        case drop
        /// It belongs to the open segment.
        case append
        /// It is the first of a segment; none was open.
        case begin(isDiscontinuous: Bool)
        /// The open segment ends before it, and it is the first of the next.
        case cut(Closed, isDiscontinuous: Bool)
        /// The open segment ends, and the packet belongs to none: the next waits for a keyframe.
        case close(Closed)
    }

    /// A segment that has got its last packet.
    package struct Closed: Hashable, Sendable {
        /// In ticks of 90 kHz, at least 1; rounded to seconds at most `targetDuration`.
        package var duration: Timestamp
        /// The target duration in seconds from here on.
        package var targetDuration: Int
        /// Whether this segment's length has raised it, which happens once at most: worth a line in the log.
        package var hasRaisedTargetDuration: Bool
        /// Whether it had to end before a packet that is no keyframe, or within a gap.
        package var isForced: Bool

        package init(
            duration: Timestamp, targetDuration: Int, hasRaisedTargetDuration: Bool = false, isForced: Bool = false
        ) {
            self.duration = duration
            self.targetDuration = targetDuration
            self.hasRaisedTargetDuration = hasRaisedTargetDuration
            self.isForced = isForced
        }
    }

    package struct Configuration: Hashable, Sendable {
        /// How long segments are to be at least; 0.1 s to an hour.
        package var segmentDuration: Duration = .seconds(1)
        /// How long a segment may get before the target duration is settled.
        package var maximumSegmentDuration: Duration = .seconds(20)
        /// Whether any packet may become a keyframe, as when what is cut is still to be encoded.
        package var cutsAnywhere = false

        package init() {}
    }
}

extension Segmenter.Configuration {
    var segmentTicks: Int64 { min(max(segmentDuration, .milliseconds(100)), .seconds(3_600)).mpegTicks }
    var maximumTicks: Int64 { min(max(maximumSegmentDuration, .zero), .seconds(3_600)).mpegTicks }
}

extension Duration {
    /// In ticks of 90 kHz, rounded to the nearest.
    var mpegTicks: Int64 {
        let nanoseconds = components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
        return Timestamp(value: nanoseconds, timescale: 1_000_000_000).rescaled(to: Timestamp.mpegTimescale).value
    }
}
