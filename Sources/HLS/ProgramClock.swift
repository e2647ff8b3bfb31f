package import Media

/// Maps media time to wall-clock time for EXT-X-PROGRAM-DATE-TIME (`RFC 8216 §4.3.2.6`).
package struct ProgramClock {
    private var anchor: (media: Timestamp, unixMilliseconds: Int64)?

    package init() {}

    /// How far media may run ahead of the clock before it is set anew: encoders begin with a burst.
    private static let longestLead: Int64 = 250
    /// How far media may lie behind the clock before it is taken for drift rather than delay.
    private static let longestLag: Int64 = 5_000

    /// The wall-clock time of a moment, in milliseconds since 1970.
    ///
    /// It runs with the media, so that it agrees with the durations; it is set anew at a discontinuity, when it has
    /// run ahead or fallen far behind.
    package mutating func time(of media: Timestamp, now: Int64, isNew: Bool) -> Int64 {
        if let anchor, !isNew {
            let time = anchor.unixMilliseconds + (media - anchor.media).rescaled(to: 1_000).value
            if time <= now + Self.longestLead, time >= now - Self.longestLag { return time }
        }
        anchor = (media, now)
        return now
    }
}
