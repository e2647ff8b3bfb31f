import HLS
import Logging
import Media
import Transcode
import Upload

/// All renditions of a broadcast, and the multivariant playlist that names them. Owned by its broadcast's event loop.
final class BroadcastRenditions {
    private let broadcast: BroadcastContext
    private var renditions: [String: Rendition] = [:]
    private var multivariant: MultivariantState
    /// Those whose encoder has given up; no player is sent to them any more.
    private var failed: Set<String> = []
    private var isAbandoned = false
    /// Whether it is known which renditions the ladder makes of this source.
    private var isPlanned: Bool
    /// When a player could have been sent to the first of them, in milliseconds since 1970.
    private var firstBegun: Int64?

    /// How long players are kept waiting for renditions that are to come, in milliseconds.
    private static let patience: Int64 = 2_000

    /// - Parameter hasLadder: whether others than `source` are to come, named by ``planned(_:)``.
    init(_ broadcast: BroadcastContext, hasLadder: Bool) {
        self.broadcast = broadcast
        isPlanned = !hasLadder
        multivariant = MultivariantState(specs: broadcast.ingest.configuration.renditions)
    }

    /// Segments of all renditions since the broadcast's start.
    var segmentsBegun: Int { renditions.values.reduce(0) { $0 + $1.segmentsBegun } }

    func publisherArrived(epoch: UInt64) {
        broadcast.epoch.raise(to: epoch)
        for rendition in renditions.values { rendition.publisherArrived() }
    }

    func declared(_ declaration: PublisherEvent.Declaration) { multivariant.declaration = declaration }

    func captions(_ services: Set<CaptionService>) { multivariant.captions.formUnion(services) }

    /// The ladder is going to make these.
    func planned(_ names: [String]) {
        isPlanned = true
        for name in names { _ = rendition(name) }
    }

    func failed(_ name: String) {
        failed.insert(name)
        renditions[name]?.fail()
    }

    /// A rendition begins with its first formats; without any, it need not.
    func formats(_ formats: [TrackFormat], of name: String) {
        if renditions[name] != nil || !formats.isEmpty { rendition(name).formats = formats }
    }

    func boundary(_ boundary: SegmentBoundary, in name: String) {
        if boundary.closed?.isForced == true { multivariant.hasForcedCuts = true }
        update(name) { $0.boundary(boundary) }
    }

    func receive(_ packet: MediaPacket, in name: String, behind boundary: Int) {
        update(name) { $0.receive(packet, behind: boundary) }
    }

    /// The multivariant playlist follows each segment's start.
    private func update(_ name: String, _ body: (Rendition) -> Void) {
        guard let rendition = renditions[name], !failed.contains(name) else { return }
        let begun = rendition.segmentsBegun
        body(rendition)
        if rendition.segmentsBegun > begun { putMultivariant() }
    }

    func end() {
        for rendition in renditions.values where !failed.contains(rendition.name) { rendition.end() }
    }

    func forget() {
        for rendition in renditions.values { rendition.forget() }
    }

    func abandon() {
        isAbandoned = true
        for rendition in renditions.values { rendition.abandon() }
    }

    private func rendition(_ name: String) -> Rendition {
        if let rendition = renditions[name] { return rendition }
        let rendition = Rendition(name, of: broadcast)
        if isAbandoned { rendition.abandon() }
        renditions[name] = rendition
        return rendition
    }

    /// Not before the media playlists, which plain HLS gets with its first complete segment.
    private func putMultivariant() {
        let now = Int64(IngestContext.unixMilliseconds)
        let living = renditions.values.filter { !failed.contains($0.name) }
        let ready = living.filter(\.hasPlaylist)
        guard !isAbandoned, !ready.isEmpty else { return }
        let first = firstBegun ?? now
        firstBegun = first
        guard isPlanned && ready.count == living.count || now - first >= Self.patience else { return }
        if let text = multivariant.next(of: ready, now: now) {
            broadcast.putPlaylist("playlist.m3u8", text)
        }
    }
}
