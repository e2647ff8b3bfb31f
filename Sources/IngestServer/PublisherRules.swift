package import NIOCore

/// What no encoder does: one publisher's breaks and segments are counted, and too many of them end its publish.
package struct PublisherRules {
    package enum Violation: Equatable, Sendable {
        case tooManyDiscontinuities
        case tooManySegments

        /// For the log and the metrics.
        package var rule: String {
            switch self {
            case .tooManyDiscontinuities: "too_many_discontinuities"
            case .tooManySegments: "too_many_segments"
            }
        }

        var reason: String {
            switch self {
            case .tooManyDiscontinuities: "its timestamps or formats jump all the time"
            case .tooManySegments: "it sends media far faster than it plays; ffmpeg needs -re"
            }
        }
    }

    /// Breaks of the timeline or the format within 10 s: each is a segment of its own.
    private static let breaksLimit = 20
    /// Segments within 10 s, which is media at twenty times its speed.
    private static let segmentsLimit = 200

    private var breaks = RateCount()
    private var segments = RateCount()

    package init() {}

    /// Its timeline or a format has jumped. A violation is told once in 10 s.
    package mutating func broke(_ now: NIODeadline) -> Violation? {
        var isExceeded = false
        breaks.note(now, beyond: Self.breaksLimit) { isExceeded = true }
        return isExceeded ? .tooManyDiscontinuities : nil
    }

    /// A segment of it has begun.
    package mutating func segmentBegun(_ now: NIODeadline) -> Violation? {
        var isExceeded = false
        segments.note(now, beyond: Self.segmentsLimit) { isExceeded = true }
        return isExceeded ? .tooManySegments : nil
    }
}
