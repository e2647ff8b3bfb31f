import CoreMetrics

/// What inputs besides RTMP, and the test picture, count; `docs/operations.md` says what each means.
struct InputMetrics: Sendable {
    let opens = Counter(label: "headwater.ingest.inputs.opens")

    static func damagedPackets(scheme: String) -> Counter {
        Counter(label: "headwater.ingest.inputs.packets.damaged", dimensions: [("scheme", scheme)])
    }

    static func failures(_ failure: InputFailure) -> Counter {
        Counter(label: "headwater.ingest.inputs.failures", dimensions: [("reason", failure.rawValue)])
    }
}

/// Why an input stopped, other than by its end or ours.
package enum InputFailure: String, Sendable, CaseIterable {
    /// It could not be opened, or has nothing in it that can be taken.
    case open
    /// A listener's peer sent something that is no media.
    case peer
    /// It broke off.
    case read
    /// Nothing came for too long.
    case stalled
    /// The test picture could not be made.
    case encode
    /// The stream may not be published now.
    case refused
    /// The broadcast closed it, or another publisher took the stream over.
    case closed
    /// The broadcast does not take anything in any more.
    case undelivered
}
