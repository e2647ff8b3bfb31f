import CoreMetrics
import Synchronization

/// How often something took how long: a count for each range of seconds, and the sum of all.
///
/// Recording takes two atomic additions and no lock. What is no number is left out; what is below 0, as a clock that
/// was set back makes it, counts as 0.
final class HistogramSeries: RecorderHandler, TimerHandler {
    /// The ranges' upper bounds in seconds, each within its range; above the last there is one range more.
    static let bounds = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]

    /// The bounds as `Prometheus exposition formats 0.0.4` writes them in the label `le`.
    static let boundTexts = bounds.map(ExpositionText.number) + ["+Inf"]

    private let counts = InlineArray<16, Atomic<Int64>> { _ in Atomic(0) }
    private let total = AtomicDouble()

    /// For each bound how many were recorded up to it; the last is how many there were in all.
    var cumulativeCounts: [Int64] {
        var sum: Int64 = 0
        return counts.indices.map { index in
            sum &+= counts[index].load(ordering: .relaxed)
            return sum
        }
    }

    /// In seconds.
    var sum: Double { total.value }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        guard value.isFinite else { return }
        let seconds = max(0, value)
        var index = 0
        while index < Self.bounds.count, seconds > Self.bounds[index] { index += 1 }
        counts[index].wrappingAdd(1, ordering: .relaxed)
        total.add(seconds)
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1_000_000_000) }
}
