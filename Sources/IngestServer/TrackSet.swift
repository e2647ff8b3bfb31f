import Media

/// Which tracks a stream has, and when that is known well enough to begin.
struct TrackSet {
    var declaration = PublisherEvent.Declaration()
    private var known: [TrackKind: TrackFormat] = [:]
    /// The first audio timestamp while it is not known whether video will come, in milliseconds modulo 2³².
    private var firstAudio: UInt32?

    /// How long a stream whose encoder declares nothing may bring audio alone before it counts as audio-only, in milliseconds.
    private static let videoGrace: Int32 = 1_000

    var kinds: Set<TrackKind> { Set(known.keys) }

    /// Video first.
    var formats: [TrackFormat] { TrackKind.allCases.compactMap { known[$0] } }

    /// The next publisher says anew what tracks it has.
    mutating func publisherArrived() {
        known = [:]
        firstAudio = nil
        declaration = PublisherEvent.Declaration()
    }

    /// False when this is the format there is already.
    mutating func formatArrived(_ format: TrackFormat) -> Bool {
        known.updateValue(format, forKey: format.kind) != format
    }

    mutating func takes(_ media: PublisherEvent.RawMedia) -> Bool {
        guard known[media.track] != nil else { return false }
        guard media.track == .audio, known[.video] == nil, declaration.hasVideo != false else { return true }
        let first = firstAudio ?? media.timestamp
        firstAudio = first
        return Int32(bitPattern: media.timestamp &- first) >= Self.videoGrace
    }
}
