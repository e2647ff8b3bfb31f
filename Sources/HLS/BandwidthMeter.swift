package import Media

/// Measures BANDWIDTH and AVERAGE-BANDWIDTH of a rendition from its complete segments (`RFC 8216bis §4.1, §4.4.6.2`).
package struct BandwidthMeter: Hashable, Sendable {
    /// The most bits a second over any contiguous segments lasting 0.5 to 1.5 target durations and half a second;
    /// nil before there were such.
    package private(set) var peakBitsPerSecond: Int?

    private var recent: [Sample] = []
    private var totalBytes = 0.0
    private var totalSeconds = 0.0

    private struct Sample: Hashable, Sendable {
        var bytes: Double
        var seconds: Double
    }

    /// Segments that are looked back on at most.
    private static let window = 256

    package init() {}

    /// Bits a second over all segments so far; nil before the first.
    package var averageBitsPerSecond: Int? {
        totalSeconds > 0 ? Self.bitsPerSecond(bytes: totalBytes, seconds: totalSeconds) : nil
    }

    /// Takes a complete segment; one without duration is not counted.
    package mutating func record(bytes: Int, duration: Timestamp, targetDuration: Int) {
        let sample = Sample(bytes: Double(max(0, bytes)), seconds: duration.seconds)
        guard sample.seconds > 0 else { return }
        totalBytes += sample.bytes
        totalSeconds += sample.seconds
        if recent.count == Self.window { recent.removeFirst() }
        recent.append(sample)
        let shortest = 0.5 * Double(targetDuration)
        let longest = 1.5 * Double(targetDuration) + 0.5
        var span = Sample(bytes: 0, seconds: 0)
        for index in recent.indices.reversed() {
            span.bytes += recent[index].bytes
            span.seconds += recent[index].seconds
            guard span.seconds <= longest else {
                recent.removeFirst(index + 1)  // no later span can reach back over this one
                break
            }
            guard span.seconds >= shortest else { continue }
            let rate = Self.bitsPerSecond(bytes: span.bytes, seconds: span.seconds)
            peakBitsPerSecond = max(peakBitsPerSecond ?? 0, rate)
        }
    }

    /// Rounded up, so that what is declared is never less than what was sent.
    private static func bitsPerSecond(bytes: Double, seconds: Double) -> Int {
        Int(min((bytes * 8 / seconds).rounded(.up), 1e15))
    }
}
