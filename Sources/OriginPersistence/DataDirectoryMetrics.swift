import CoreMetrics

/// What the data directory counts; `docs/operations.md` says what each means.
struct DataDirectoryMetrics: Sendable {
    /// Why an object is in memory alone.
    enum Drop: String, CaseIterable {
        /// More waited to be written than may.
        case full
        /// Writing had failed.
        case degraded
        /// Its header cannot be written such that it reads the same again.
        case unfit
        /// The service ended before it was written.
        case stopped
    }

    let writtenObjects: Counter
    let writtenBytes: Counter
    private let drops: [Drop: Counter]
    /// Operations of the file system that failed.
    let failures: Counter
    let queuedBytes: Gauge
    /// 1 while nothing can be written, else 0.
    let degraded: Gauge
    let restored: Counter
    let corrupt: Counter
    let unreadable: Counter

    init(factory: any MetricsFactory) {
        writtenObjects = Counter(label: "headwater.origin.data.objects.written", factory: factory)
        writtenBytes = Counter(label: "headwater.origin.data.written.bytes", factory: factory)
        drops = Dictionary(
            uniqueKeysWithValues: Drop.allCases.map {
                let dimensions = [("reason", $0.rawValue)]
                return (
                    $0,
                    Counter(label: "headwater.origin.data.objects.dropped", dimensions: dimensions, factory: factory)
                )
            })
        failures = Counter(label: "headwater.origin.data.failures", factory: factory)
        queuedBytes = Gauge(label: "headwater.origin.data.queued.bytes", factory: factory)
        degraded = Gauge(label: "headwater.origin.data.degraded", factory: factory)
        restored = Counter(label: "headwater.origin.data.objects.restored", factory: factory)
        corrupt = Counter(label: "headwater.origin.data.objects.corrupt", factory: factory)
        unreadable = Counter(label: "headwater.origin.data.objects.unreadable", factory: factory)
        queuedBytes.record(0)
        degraded.record(0)
    }

    func dropped(_ reason: Drop, by count: Int = 1) {
        if count > 0 { drops[reason]?.increment(by: count) }
    }
}
