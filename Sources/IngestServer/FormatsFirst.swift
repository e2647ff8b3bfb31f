package import LibAV
package import Media

/// Puts the formats of all tracks before the first packet, as encoders do that say theirs ahead: a track whose format
/// came later would count as one that was added, behind a discontinuity.
package struct FormatsFirst {
    /// How long the first packet is held for a format, by its time, and how many packets with it.
    private static let patience = Timestamp.milliseconds(1_000)
    private static let limit = 256

    private var missing: Set<TrackKind>
    private var held: [Demuxer.Event] = []
    private var first: Timestamp?

    package init(of kinds: Set<TrackKind>) { missing = kinds }

    /// What can be passed on now, in order.
    package mutating func receive(_ event: Demuxer.Event) -> [Demuxer.Event] {
        switch event {
        case .format(let format):
            missing.remove(format.kind)
            return [event] + (missing.isEmpty ? rest() : [])
        case .packet(let packet):
            held.append(event)
            let first = first ?? packet.decodeTime
            self.first = first
            let isOver = packet.decodeTime - first > Self.patience || held.count >= Self.limit
            return missing.isEmpty || isOver ? rest() : []
        }
    }

    /// What was held; nothing is held any more.
    package mutating func rest() -> [Demuxer.Event] {
        missing = []
        defer { held = [] }
        return held
    }
}

extension PublisherEvent {
    init(_ event: Demuxer.Event) {
        switch event {
        case .format(let format): self = .format(format)
        case .packet(let packet): self = .media(packet)
        }
    }
}
