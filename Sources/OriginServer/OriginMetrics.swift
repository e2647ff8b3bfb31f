import CoreMetrics
import OriginStore

/// Every figure the origin keeps. Labels come from enums alone; `docs/operations.md` says what each means.
struct OriginMetrics: Sendable {
    enum Refusal: String, CaseIterable {
        case malformed, path, method, epoch, size, memory, playlist, superseded, connections
    }

    enum Cut: String, CaseIterable {
        /// The object's upload broke off for good.
        case aborted
        /// The reader took nothing for the stall limit.
        case stalled
        /// An announced object did not begin within the hold limit.
        case held
    }

    private let responses: [Int: Counter]
    private let refusals: [Refusal: Counter]
    private let cuts: [Cut: Counter]
    let receivedBytes = Counter(label: "headwater.origin.received.bytes")
    let brokenUploads = Counter(label: "headwater.origin.uploads.broken")
    let expired = Counter(label: "headwater.origin.objects.expired")
    let aborted = Counter(label: "headwater.origin.objects.aborted")
    let heldBytes = Gauge(label: "headwater.origin.memory.held.bytes")
    let objects = Gauge(label: "headwater.origin.objects")
    let playlists = Gauge(label: "headwater.origin.playlists")
    let connections = Gauge(label: "headwater.origin.connections")

    init() {
        responses = Dictionary(
            uniqueKeysWithValues: (1...5).map {
                ($0, Counter(label: "headwater.origin.responses", dimensions: [("class", "\($0)xx")]))
            })
        refusals = Dictionary(
            uniqueKeysWithValues: Refusal.allCases.map {
                ($0, Counter(label: "headwater.origin.refusals", dimensions: [("reason", $0.rawValue)]))
            })
        cuts = Dictionary(
            uniqueKeysWithValues: Cut.allCases.map {
                ($0, Counter(label: "headwater.origin.readers.cut", dimensions: [("reason", $0.rawValue)]))
            })
    }

    func count(status: UInt) { responses[Int(status / 100)]?.increment() }

    func count(_ refusal: Refusal) { refusals[refusal]?.increment() }

    func count(_ cut: Cut) { cuts[cut]?.increment() }
}
