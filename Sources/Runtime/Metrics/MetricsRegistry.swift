import CoreMetrics
import Synchronization

/// Keeps every metric of the process in memory for Prometheus to fetch.
///
/// Counting takes one atomic addition, or two for a histogram; making and rendering take a lock.
package final class MetricsRegistry: Sendable {
    /// How many series there may be when nothing else is said.
    package static let defaultMaximumSeries = 10_000

    enum Series {
        case counter(CounterSeries)
        case gauge(GaugeSeries)
        case histogram(HistogramSeries)
    }

    enum Kind: String {
        case counter, gauge, histogram
    }

    /// All series of one name.
    struct Family {
        var kind: Kind
        var help: String
        /// By the text of their labels.
        var series: [String: Series] = [:]
    }

    private struct State {
        var families: [String: Family] = [:]
        var seriesCount = 0
        var dropped: Int64 = 0
    }

    private let state = Mutex(State())
    private let maximumSeries: Int
    private let help: [String: String]

    /// `help` tells what a metric means by its label; a metric without it is explained by its label alone.
    package init(maximumSeries: Int = defaultMaximumSeries, help: [String: String] = [:]) {
        self.maximumSeries = maximumSeries
        self.help = help
    }

    /// The series of this name and these labels, a new one where there is none; nil, and counted, where there are too
    /// many already or the name stands for another kind.
    func series(
        _ kind: Kind, name: String, label: String, dimensions: [(String, String)], make: () -> Series
    ) -> Series? {
        let labels = ExpositionText.labels(dimensions)
        return state.withLock { state in
            var family = state.families[name] ?? Family(kind: kind, help: help[label] ?? label)
            guard family.kind == kind else {
                state.dropped += 1
                return nil
            }
            if let series = family.series[labels] { return series }
            guard state.seriesCount < maximumSeries else {
                state.dropped += 1
                return nil
            }
            let series = make()
            family.series[labels] = series
            state.families[name] = family
            state.seriesCount += 1
            return series
        }
    }

    func remove(where isRemoved: (Series) -> Bool) {
        state.withLock { state in
            for (name, family) in state.families {
                guard let labels = family.series.first(where: { isRemoved($0.value) })?.key else { continue }
                state.families[name]?.series[labels] = nil
                state.seriesCount -= 1
                if state.families[name]?.series.isEmpty == true { state.families[name] = nil }
                return
            }
        }
    }

    /// All metrics as `Prometheus exposition formats 0.0.4` writes them, in the order of their names.
    package func exposition() -> String {
        let (families, dropped) = state.withLock { ($0.families, $0.dropped) }
        var text = ""
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            Self.render(family, named: name, to: &text)
        }
        text += """
            # HELP headwater_metrics_dropped_series_total metrics not kept, as there were too many or two of one name
            # TYPE headwater_metrics_dropped_series_total counter
            headwater_metrics_dropped_series_total \(dropped)

            """
        return text
    }

    private static func render(_ family: Family, named name: String, to text: inout String) {
        text += "# HELP \(name) \(ExpositionText.escapedHelp(family.help))\n"
        text += "# TYPE \(name) \(family.kind.rawValue)\n"
        for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
            switch series {
            case .counter(let counter):
                text += "\(name)\(labels) \(counter.value)\n"
            case .gauge(let gauge):
                text += "\(name)\(labels) \(ExpositionText.number(gauge.value))\n"
            case .histogram(let histogram):
                let counts = histogram.cumulativeCounts
                for (bound, count) in zip(HistogramSeries.boundTexts, counts) {
                    text += "\(name)_bucket\(ExpositionText.labels(labels, bound: bound)) \(count)\n"
                }
                text += "\(name)_sum\(labels) \(ExpositionText.number(histogram.sum))\n"
                text += "\(name)_count\(labels) \(counts.last ?? 0)\n"
            }
        }
    }
}
