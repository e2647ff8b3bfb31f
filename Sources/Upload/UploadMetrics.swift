import CoreMetrics

/// How an object ended at one destination.
enum UploadOutcome: String, CaseIterable, Sendable {
    /// Answered with success, or written to its end.
    case delivered
    /// Answered with 409: a later publisher has the stream.
    case superseded
    /// A whole object in whose place a newer one was sent.
    case replaced
    /// Given up because it expired, or found no room in the queue.
    case dropped
    /// Given up by its producer.
    case abandoned
    /// Not written because of an error of the file system.
    case failed
    /// Its path is none that may be sent.
    case invalid
}

/// What is counted for each destination; the labels are the destination's number and the outcome.
struct UploadMetrics: Sendable {
    /// Objects that ended: `headwater.upload.transfers`.
    private let transfers: [UploadOutcome: Counter]
    /// Bytes of bodies handed to the connection or file, repeated ones too: `headwater.upload.bytes`.
    let bytes: Counter
    /// Requests sent again: `headwater.upload.retries`.
    let retries: Counter
    /// Connections opened: `headwater.upload.connections`.
    let connections: Counter
    /// Objects in flight: `headwater.upload.active`.
    let active: Gauge

    init(destination index: Int, factory: any MetricsFactory) {
        let destination = ("destination", String(index))
        var transfers: [UploadOutcome: Counter] = [:]
        for outcome in UploadOutcome.allCases {
            transfers[outcome] = Counter(
                label: "headwater.upload.transfers", dimensions: [destination, ("outcome", outcome.rawValue)],
                factory: factory)
        }
        self.transfers = transfers
        bytes = Counter(label: "headwater.upload.bytes", dimensions: [destination], factory: factory)
        retries = Counter(label: "headwater.upload.retries", dimensions: [destination], factory: factory)
        connections = Counter(label: "headwater.upload.connections", dimensions: [destination], factory: factory)
        active = Gauge(label: "headwater.upload.active", dimensions: [destination], factory: factory)
    }

    func ended(_ outcome: UploadOutcome) {
        transfers[outcome]?.increment()
    }
}
