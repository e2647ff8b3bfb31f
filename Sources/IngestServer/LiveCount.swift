import CoreMetrics
import Synchronization

/// How many of something there are now, kept in step with its gauge.
final class LiveCount: Sendable {
    private let count = Mutex(0)

    var value: Int { count.withLock { $0 } }

    func changed(by difference: Int, _ gauge: Gauge) {
        count.withLock { count in
            count += difference
            gauge.record(count)
        }
    }
}
