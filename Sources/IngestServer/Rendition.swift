import CoreMetrics
import HLS
import LibAV
import Logging
import Media
import NIOCore
import Upload

/// One rendition of a broadcast, transmuxed: access units in, segments and playlists out to the uploader.
///
/// The segmenter decides before the muxer; the muxer gives each access unit's bytes at once; the body of the growing
/// segment takes them. Owned by its broadcast's event loop.
final class Rendition {
    let broadcastID: String
    private let name: StreamName
    private let ingest: IngestContext
    private let logger: Logger
    private var tracks = TrackSet()
    private var segmenter: Segmenter
    private var playlist: LivePlaylist
    private var multivariant = MultivariantState()
    private var muxer: MPEGTSMuxer?
    private var muxedFormats: [TrackFormat] = []
    private var growing: GrowingBody?
    /// Since the broadcast's start.
    private(set) var segmentsBegun = 0
    /// Audio that came before the keyframe its segment begins with; encoders send a little of it first.
    private var earlyAudio: [MediaPacket] = []
    /// Bodies of segments in the playlist, by their name.
    private var bodies: [String: GrowingBody] = [:]
    /// Segments that have left the playlist and are still in the directories among the destinations.
    private var removable: [String] = []
    private var clock = ProgramClock()
    /// Of the present publisher; uploads of earlier ones that are still repeated go on under it.
    private let epoch = PublishEpoch(0)
    private var isAbandoned = false
    /// Whether this publisher's trouble with the muxer is in the log already.
    private var hasToldMuxing = false

    init(_ name: StreamName, ingest: IngestContext, logger: Logger) {
        self.name = name
        self.ingest = ingest
        self.logger = logger
        let configuration = ingest.configuration
        let identity = BroadcastIdentity(unixMilliseconds: IngestContext.unixMilliseconds)
        broadcastID = identity.id
        var segmenterConfiguration = Segmenter.Configuration()
        segmenterConfiguration.segmentDuration = configuration.segmentDuration
        segmenter = Segmenter(configuration: segmenterConfiguration, tracks: [])
        var playlistConfiguration = LivePlaylist.Configuration()
        playlistConfiguration.window = configuration.window
        playlistConfiguration.announcedSegments = configuration.lhlsAhead
        playlistConfiguration.segmentDuration = configuration.segmentDuration
        let firstNumber = ingest.firstNumber(atLeast: identity.firstNumber)
        playlistConfiguration.firstNumber = firstNumber
        playlistConfiguration.discontinuitySequence = firstNumber
        playlist = LivePlaylist(
            names: LivePlaylist.Names(rendition: "source", broadcastID: identity.id),
            configuration: playlistConfiguration, targetDuration: segmenter.targetDuration)
    }

    /// How much audio is kept for a keyframe that is still to come, and how far before it audio is of use.
    private static let earlyAudioLimit = 64
    private static let earlyAudioSpan = Timestamp.milliseconds(500)

    // MARK: What happened

    func publisherArrived(epoch: UInt64) {
        self.epoch.raise(to: epoch)
        earlyAudio = []
        hasToldMuxing = false
        tracks.publisherArrived()
        if let closed = segmenter.discontinuity() { complete(closed) }
    }

    /// The segment being produced ends with what there is of it.
    func publisherLeft() {
        guard let closed = segmenter.discontinuity() else { return }
        complete(closed)
        putPlaylist()
    }

    /// The playlists end. Segments in them are still delivered until ``forget()``.
    func end() {
        if let closed = segmenter.end() { complete(closed) }
        playlist.end()
        putPlaylist()
    }

    func forget() {
        for body in bodies.values { ingest.uploader.expire(body) }
        bodies = [:]
        for segment in removable { ingest.uploader.remove(path: "\(name.path)/\(segment)") }
        removable = []
    }

    func abandon() {
        isAbandoned = true
        growing?.abandon()
        for body in bodies.values { ingest.uploader.expire(body) }
        bodies = [:]
    }

    func declared(_ declaration: PublisherEvent.Declaration) {
        tracks.declaration = declaration
        multivariant.declaration = declaration
    }

    /// True when the format has replaced another one of the same publisher's.
    func formatArrived(_ format: TrackFormat) -> Bool {
        let isReplaced = tracks.kinds.contains(format.kind)
        guard tracks.formatArrived(format) else { return false }
        earlyAudio = []
        logger.info("track format", metadata: ["track": "\(format.kind)", "codecs": "\(format.codecs)"])
        var closed = segmenter.expect(tracks.kinds)
        if closed == nil { closed = segmenter.discontinuity() }
        if let closed {
            complete(closed)
            putPlaylist()
        }
        return isReplaced
    }

    /// Whether a packet can be placed at all: its format is known, and the stream's tracks are.
    func takes(_ media: PublisherEvent.RawMedia) -> Bool {
        !isAbandoned && tracks.takes(media)
    }

    func receive(_ packet: MediaPacket, isDiscontinuity: Bool) {
        ingest.metrics.accessUnits.increment()
        switch segmenter.receive(
            track: packet.track, decodeTime: packet.decodeTime, isKeyframe: packet.isKeyframe,
            isDiscontinuity: isDiscontinuity)
        {
        case .drop:
            guard packet.track == .audio else { return }
            if earlyAudio.count == Self.earlyAudioLimit { earlyAudio.removeFirst() }
            earlyAudio.append(packet)
        case .append:
            mux(packet)
        case .begin(let isDiscontinuous):
            begin(packet, isDiscontinuous: isDiscontinuous)
        case .cut(let closed, let isDiscontinuous):
            complete(closed)
            begin(packet, isDiscontinuous: isDiscontinuous)
        case .close(let closed):
            complete(closed)
            putPlaylist()
        }
    }

    // MARK: Segments

    private func begin(_ packet: MediaPacket, isDiscontinuous: Bool) {
        guard prepareMuxer() else { return }
        segmentsBegun += 1
        let time = clock.time(
            of: packet.presentationTime, now: Int64(IngestContext.unixMilliseconds), isNew: isDiscontinuous)
        let segment = playlist.segmentStarted(
            isDiscontinuous: isDiscontinuous, programDateTime: ProgramDateTime(millisecondsSince1970: time))
        ingest.used(playlist.nextNumber - 1)
        let body = ingest.uploader.open(path: "\(name.path)/\(segment)", contentType: "video/mp2t", epoch: epoch)
        bodies[segment] = body
        growing = body
        ingest.metrics.segments.increment()
        logger.debug("segment started", metadata: ["segment": "\(segment)"])
        mux(packet)
        let earliest = packet.decodeTime - Self.earlyAudioSpan
        for audio in earlyAudio where audio.decodeTime > earliest { mux(audio) }
        earlyAudio = []
        putPlaylist()
        putMultivariant()
    }

    private func complete(_ closed: Segmenter.Closed) {
        guard let body = growing else { return }
        growing = nil
        body.finish()
        playlist.segmentCompleted(closed)
        multivariant.segmentCompleted(
            bytes: body.count, duration: closed.duration, targetDuration: closed.targetDuration)
        if closed.isForced { ingest.metrics.forcedCuts.increment() }
        if closed.hasRaisedTargetDuration { adviseOnKeyframes(closed) }
        for segment in playlist.takeExpired() {
            if let body = bodies.removeValue(forKey: segment) { ingest.uploader.expire(body) }
            removable.append(segment)
        }
        // Players still ask for what has just left the playlist (`RFC 8216 §6.2.2`).
        while removable.count > ingest.configuration.window + 1 {
            ingest.uploader.remove(path: "\(name.path)/\(removable.removeFirst())")
        }
    }

    private func adviseOnKeyframes(_ closed: Segmenter.Closed) {
        logger.warning(
            "the encoder's keyframe interval is longer than the segment duration; segments follow the keyframes",
            metadata: [
                "keyframe.interval.seconds": "\(closed.duration.seconds)",
                "target.duration.seconds": "\(closed.targetDuration)",
                "advice": "set the encoder's keyframe interval to \(ingest.configuration.segmentDuration)",
            ])
    }

    private func mux(_ packet: MediaPacket) {
        do throws(LibAVError) {
            if let bytes = try muxer?.write(packet) { growing?.append(bytes) }
        } catch {
            ingest.metrics.unmuxable.increment()
            tellOnce("access units cannot be muxed", error)
        }
    }

    /// One muxer for as long as the formats stay, so that continuity counters run on; false where there can be none.
    private func prepareMuxer() -> Bool {
        let formats = tracks.formats
        do throws(LibAVError) {
            if muxer == nil || formats != muxedFormats {
                muxer = try MPEGTSMuxer(formats)
                muxedFormats = formats
            } else if !tracks.kinds.contains(.video) {
                try muxer?.repeatTables()
            }
            return true
        } catch {
            tellOnce("no muxer for this stream", error)
            return false
        }
    }

    private func tellOnce(_ message: Logger.Message, _ error: LibAVError) {
        if !hasToldMuxing { logger.warning(message, metadata: ["reason": "\(error.reason)"]) }
        hasToldMuxing = true
    }

    // MARK: Playlists

    private func putPlaylist() {
        if let playlist = playlist.playlist { put("source.m3u8", playlist.render()) }
    }

    private func putMultivariant() {
        // Not before the media playlist, which plain HLS gets with its first complete segment.
        guard playlist.playlist != nil else { return }
        let now = Int64(IngestContext.unixMilliseconds)
        guard
            let text = multivariant.next(
                formats: tracks.formats, hasForcedCuts: segmenter.forcedCuts > 0, now: now)
        else {
            return
        }
        put("playlist.m3u8", text)
    }

    private func put(_ file: String, _ text: String) {
        guard !isAbandoned else { return }
        ingest.uploader.put(
            path: "\(name.path)/\(file)", contentType: "application/vnd.apple.mpegurl", epoch: epoch,
            body: ByteBuffer(string: text))
    }
}
