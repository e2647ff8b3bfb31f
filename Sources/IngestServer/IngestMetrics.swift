import CoreMetrics

/// Every figure the ingest keeps besides those of its uploads. Labels come from enums alone; `docs/operations.md`
/// says what each means.
struct IngestMetrics: Sendable {
    let connections = Gauge(label: "headwater.ingest.connections")
    let publishers = Gauge(label: "headwater.ingest.publishers")
    let receivedBytes = Counter(label: "headwater.ingest.received.bytes")
    let accessUnits = Counter(label: "headwater.ingest.access.units")
    let unmuxable = Counter(label: "headwater.ingest.access.units.unmuxable")
    let unplaced = Counter(label: "headwater.ingest.access.units.unplaced")
    let segments = Counter(label: "headwater.ingest.segments")
    let forcedCuts = Counter(label: "headwater.ingest.segments.forced")
    let discontinuities = Counter(label: "headwater.ingest.discontinuities")
    let resumptions = Counter(label: "headwater.ingest.resumptions")

    /// A connection that ended because a rule was broken; `rule` is an `RTMPError.label`.
    func violation(rule: String) {
        Counter(label: "headwater.ingest.violations", dimensions: [("rule", rule)]).increment()
    }

    func refusal(reason: String) {
        Counter(label: "headwater.ingest.refusals", dimensions: [("reason", reason)]).increment()
    }
}
