package import Media

/// Holds media that could come at once to the time it plays in.
///
/// | what comes | what it does |
/// |---|---|
/// | the first packet | is played at once, and so is what follows within the head start |
/// | a later one | is due when the clock has come as far as its decode time |
/// | one far off the one before, or due long ago | begins anew as the first did: what was missed is not made up for |
package struct Pacer: Sendable {
    /// Media ahead of the clock, for what reads on to fill its buffers.
    private static let headStart = Duration.milliseconds(100)
    /// A larger step between two packets is a jump of the times.
    private static let longestStep = Duration.seconds(5)
    /// Media due longer ago than this is not hurried after.
    private static let longestLag = Duration.seconds(1)

    private var anchor: (media: Timestamp, wall: ContinuousClock.Instant)?
    private var last: Timestamp?

    private let speed: Double

    /// - Parameter speed: media seconds a second, about 1.
    package init(speed: Double = 1) { self.speed = speed }

    /// How long to wait before a packet is passed on, 0 to about 5 s.
    package mutating func wait(for decodeTime: Timestamp, now: ContinuousClock.Instant) -> Duration {
        let step = last.map { (decodeTime - $0).duration } ?? .zero
        last = decodeTime
        guard let anchor, (.zero - Self.longestStep...Self.longestStep).contains(step) else {
            self.anchor = (decodeTime, now)
            return .zero
        }
        let due = anchor.wall + (decodeTime - anchor.media).duration / speed - Self.headStart
        let wait = now.duration(to: due)
        if wait < .zero - Self.longestLag { self.anchor = (decodeTime, now) }
        return max(wait, .zero)
    }
}
