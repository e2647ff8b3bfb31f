import CoreMetrics

/// Counters whose changes can be awaited.
final class CountedMetrics: MetricsFactory {
    struct Increment: Sendable {
        let name: String
        let amount: Int64
    }

    let journal = Journal<Increment>()

    private final class Counter: CounterHandler {
        let name: String
        let journal: Journal<Increment>

        init(name: String, journal: Journal<Increment>) {
            self.name = name
            self.journal = journal
        }

        func increment(by amount: Int64) { journal.record(Increment(name: name, amount: amount)) }
        func reset() {}
    }

    /// A counter is named like `transfers/0/delivered`.
    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        let last = label.split(separator: ".").last.map(String.init) ?? label
        return Counter(name: ([last] + dimensions.map(\.1)).joined(separator: "/"), journal: journal)
    }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        NOOPMetricsHandler.instance
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { NOOPMetricsHandler.instance }
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}

    func total(_ name: String) -> Int64 {
        journal.events.reduce(0) { $0 + ($1.name == name ? $1.amount : 0) }
    }

    func wait(for name: String, total: Int64) async throws {
        try await journal.wait(for: { $0.reduce(0) { $0 + ($1.name == name ? $1.amount : 0) } >= total }, name)
    }
}
