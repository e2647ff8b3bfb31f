import CoreMetrics
import OriginStore

/// Every figure the origin keeps. Labels come from enums alone; `docs/operations.md` says what each means.
struct OriginMetrics: Sendable {
    enum Refusal: String, CaseIterable {
        case malformed, path, method, token, signature, epoch, precondition, size, memory, objects, playlist
        case superseded, slow, errors, connections, handshake, copies, holds
    }

    enum Cut: String, CaseIterable {
        /// The object's upload broke off for good.
        case aborted
        /// The reader took nothing for the stall limit, or was slower than the object lived.
        case stalled
        /// An announced object did not begin within the hold limit.
        case held
    }

    /// By route and status: those of a route one after the other.
    private let requests: [Counter]
    private let refusals: [Refusal: Counter]
    private let cuts: [Cut: Counter]
    let receivedBytes = Counter(label: "headwater.origin.received.bytes")
    /// Of bodies, whatever their framing.
    let sentBytes = Counter(label: "headwater.origin.sent.bytes")
    let brokenUploads = Counter(label: "headwater.origin.uploads.broken")
    let expired = Counter(label: "headwater.origin.objects.expired")
    let aborted = Counter(label: "headwater.origin.objects.aborted")
    let holds = Counter(label: "headwater.origin.holds")
    let heldBytes = Gauge(label: "headwater.origin.memory.held.bytes")
    private let objects: [ObjectPhase: Gauge]
    let playlists = Gauge(label: "headwater.origin.playlists")
    let connections = Gauge(label: "headwater.origin.connections")
    let viewers = Gauge(label: "headwater.origin.viewers")
    /// From a segment's first byte here to its first byte to a reader.
    let firstByteAge = Timer(label: "headwater.origin.media.age", dimensions: [("byte", "first")])
    /// From a segment's last byte here to its last byte to a reader that followed it.
    let lastByteAge = Timer(label: "headwater.origin.media.age", dimensions: [("byte", "last")])

    init() {
        requests = RouteClass.allCases.flatMap { route in
            SentStatus.all.map { status in
                Counter(
                    label: "headwater.origin.requests",
                    dimensions: [("route", route.rawValue), ("status", "\(status)")])
            }
        }
        refusals = Dictionary(
            uniqueKeysWithValues: Refusal.allCases.map {
                ($0, Counter(label: "headwater.origin.refusals", dimensions: [("reason", $0.rawValue)]))
            })
        // What was given up is gone at once.
        objects = Dictionary(
            uniqueKeysWithValues: ObjectPhase.allCases.filter { $0 != .aborted }.map {
                ($0, Gauge(label: "headwater.origin.objects", dimensions: [("state", $0.rawValue)]))
            })
        cuts = Dictionary(
            uniqueKeysWithValues: Cut.allCases.map {
                ($0, Counter(label: "headwater.origin.readers.cut", dimensions: [("reason", $0.rawValue)]))
            })
    }

    func count(_ route: RouteClass, status: UInt) {
        guard let place = SentStatus.index(of: status) else { return }
        requests[route.index * SentStatus.all.count + place].increment()
    }

    func record(_ counts: ObjectCounts) {
        for (phase, gauge) in objects { gauge.record(counts[phase]) }
    }

    func count(_ refusal: Refusal) { refusals[refusal]?.increment() }

    func count(_ cut: Cut) { cuts[cut]?.increment() }
}

extension RouteClass {
    /// The place in ``allCases``.
    fileprivate var index: Int {
        switch self {
        case .multivariant: 0
        case .playlist: 1
        case .segment: 2
        case .initialization: 3
        case .missing: 4
        case .upload: 5
        case .delete: 6
        case .preflight: 7
        case .other: 8
        }
    }
}
