import CoreMetrics
import Synchronization

/// How many of something there are now, kept in step with its gauge.
final class LiveCount: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .relaxed) }

    func changed(by difference: Int, _ gauge: Gauge) {
        gauge.record(count.wrappingAdd(difference, ordering: .relaxed).newValue)
    }
}
