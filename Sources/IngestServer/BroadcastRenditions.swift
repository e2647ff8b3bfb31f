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

    init(_ broadcast: BroadcastContext) {
        self.broadcast = broadcast
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

    func failed(_ name: String) {
        failed.insert(name)
        renditions[name]?.end()
    }

    func formats(_ formats: [TrackFormat], of name: String) { rendition(name).formats = formats }

    func boundary(_ boundary: SegmentBoundary, in name: String) {
        if boundary.closed?.isForced == true { multivariant.hasForcedCuts = true }
        rendition(name).boundary(boundary)
        // Not before every rendition's media playlist, which plain HLS gets with its first complete segment.
        if boundary.begun != nil { putMultivariant() }
    }

    func receive(_ packet: MediaPacket, in name: String, behind boundary: Int) {
        rendition(name).receive(packet, behind: boundary)
    }

    func end() {
        for rendition in renditions.values { rendition.end() }
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
        renditions[name] = rendition
        return rendition
    }

    private func putMultivariant() {
        let living = renditions.values.filter { !failed.contains($0.name) }
        guard !isAbandoned, living.allSatisfy(\.hasPlaylist) else { return }
        if let text = multivariant.next(of: living, now: Int64(IngestContext.unixMilliseconds)) {
            broadcast.putPlaylist("playlist.m3u8", text)
        }
    }
}
