import CoreMetrics
import HLS
import LibAV
import Logging
import Media
import NIOCore
import Upload

/// One rendition of a broadcast on its way out: access units in, segments and a media playlist out to the uploader.
///
/// The muxer gives each access unit's bytes at once; the body of the growing segment takes them. Owned by its
/// broadcast's event loop.
final class Rendition {
    let name: String
    /// Of the segment that begins next; video first.
    var formats: [TrackFormat] = [] {
        didSet { assembly.hasVideo = formats.contains { $0.kind == .video } }
    }
    private(set) var bandwidth = BandwidthMeter()
    /// Since the broadcast's start.
    private(set) var segmentsBegun = 0
    private let broadcast: BroadcastContext
    private var assembly = SegmentAssembly(hasVideo: true)
    private var playlist: LivePlaylist?
    private var muxer: MPEGTSMuxer?
    private var muxedFormats: [TrackFormat] = []
    private var growing: GrowingBody?
    /// Bodies of segments in the playlist, by their name.
    private var bodies: [String: GrowingBody] = [:]
    /// Segments that have left the playlist and are still in the directories among the destinations.
    private var removable: [String] = []
    private var isAbandoned = false
    /// Whether this publisher's trouble with the muxer is in the log already.
    private var hasToldMuxing = false

    init(_ name: String, of broadcast: BroadcastContext) {
        self.name = name
        self.broadcast = broadcast
    }

    private var ingest: IngestContext { broadcast.ingest }
    private var logger: Logger { broadcast.logger }

    /// Whether a player that asks for its playlist finds one.
    var hasPlaylist: Bool { playlist?.playlist != nil }

    // MARK: What happens

    /// The next publisher says anew what tracks it has.
    func publisherArrived() {
        hasToldMuxing = false
    }

    func boundary(_ boundary: SegmentBoundary) { run(assembly.boundary(boundary)) }

    func receive(_ packet: MediaPacket, behind boundary: Int) {
        switch packet.track {
        case .video: run(assembly.video(packet))
        case .audio:
            let dropped = assembly.droppedAudio
            run(assembly.audio(packet, behind: boundary))
            if assembly.droppedAudio > dropped { ingest.metrics.unplaced.increment() }
        }
    }

    /// Its encoder does not work: the playlist ends with the last complete segment.
    func fail() {
        growing?.abandon()
        growing = nil
        end()
    }

    /// The playlist ends. Segments in it are still delivered until ``forget()``.
    func end() {
        playlist?.end()
        putPlaylist()
    }

    func forget() {
        for body in bodies.values { ingest.uploader.expire(body) }
        bodies = [:]
        for segment in removable { broadcast.remove(segment) }
        removable = []
    }

    func abandon() {
        isAbandoned = true
        growing?.abandon()
        for body in bodies.values { ingest.uploader.expire(body) }
        bodies = [:]
    }

    // MARK: Doing what the assembly decides

    private func run(_ actions: [SegmentAssembly.Action]) {
        guard !isAbandoned else { return }
        for action in actions {
            switch action {
            case .complete(let closed): complete(closed)
            case .begin(let begun): begin(begun)
            case .append(let packet): mux(packet)
            case .pause: putPlaylist()
            }
        }
    }

    private func begin(_ begun: SegmentBoundary.Begun) {
        prepareMuxer()
        segmentsBegun += 1
        var playlist = playlist ?? makePlaylist(begun)
        let segment = playlist.segmentStarted(
            isDiscontinuous: begun.isDiscontinuous, programDateTime: begun.programDateTime)
        self.playlist = playlist
        ingest.used(playlist.nextNumber - 1 + ingest.configuration.lhlsAhead)
        let body = broadcast.open(segment, contentType: "video/mp2t")
        bodies[segment] = body
        growing = body
        ingest.metrics.segments.increment()
        logger.debug("segment started", metadata: ["segment": "\(segment)"])
        putPlaylist()
    }

    private func makePlaylist(_ begun: SegmentBoundary.Begun) -> LivePlaylist {
        var configuration = LivePlaylist.Configuration()
        configuration.window = ingest.configuration.window
        configuration.announcedSegments = ingest.configuration.lhlsAhead
        configuration.segmentDuration = ingest.configuration.segmentDuration
        configuration.firstNumber = broadcast.firstNumber + begun.ordinal
        configuration.discontinuitySequence = broadcast.firstNumber + begun.earlierDiscontinuities
        return LivePlaylist(
            names: LivePlaylist.Names(rendition: name, broadcastID: broadcast.identity.id),
            configuration: configuration, targetDuration: begun.targetDuration)
    }

    private func complete(_ closed: Segmenter.Closed) {
        guard let body = growing else { return }
        growing = nil
        body.finish()
        playlist?.segmentCompleted(closed)
        bandwidth.record(bytes: body.count, duration: closed.duration, targetDuration: closed.targetDuration)
        for segment in playlist?.takeExpired() ?? [] {
            if let body = bodies.removeValue(forKey: segment) { ingest.uploader.expire(body) }
            removable.append(segment)
        }
        // Players still ask for what has just left the playlist (`RFC 8216 §6.2.2`).
        while removable.count > ingest.configuration.window + 1 { broadcast.remove(removable.removeFirst()) }
    }

    private func mux(_ packet: MediaPacket) {
        do throws(LibAVError) {
            if let bytes = try muxer?.write(packet) { growing?.append(bytes) }
        } catch {
            ingest.metrics.unmuxable.increment()
            tellOnce("access units cannot be muxed", error)
        }
    }

    /// One muxer for as long as the formats stay, so that continuity counters run on.
    private func prepareMuxer() {
        do throws(LibAVError) {
            if formats.isEmpty {
                muxer = nil
                muxedFormats = []
            } else if muxer == nil || formats != muxedFormats {
                muxer = nil
                muxer = try MPEGTSMuxer(formats)
                muxedFormats = formats
            } else if !assembly.hasVideo {
                try muxer?.repeatTables()
            }
        } catch {
            tellOnce("no muxer for this stream", error)
        }
    }

    private func tellOnce(_ message: Logger.Message, _ error: LibAVError) {
        if !hasToldMuxing {
            logger.warning(message, metadata: ["rendition": "\(name)", "reason": "\(error.reason)"])
        }
        hasToldMuxing = true
    }

    private func putPlaylist() {
        if !isAbandoned, let playlist = playlist?.playlist { broadcast.putPlaylist("\(name).m3u8", playlist.render()) }
    }
}
