import CLibAV
package import Media
import NIOCore

/// An input of whatever kind and container libavformat reads, down to the access units of one video and one audio track.
@safe package struct Demuxer: ~Copyable {
    package enum Event: Sendable, Equatable {
        /// How the track's packets are to be read from here on.
        case format(TrackFormat)
        /// Its times are the input's own, in ticks of 90 kHz; they may jump, and be below 0.
        case packet(MediaPacket)
    }

    /// How long an input may keep us waiting.
    package struct Limits: Sendable {
        /// For connecting, and for what the streams are to be told by; who waits for a peer waits without limit.
        package var opening = Duration.seconds(10)
        /// For the next packet.
        package var reading = Duration.seconds(20)

        package init() {}
    }

    /// A larger packet is left out; in bytes.
    private static let maximumPacketBytes: Int32 = 16 << 20

    /// The tracks there were when it was opened; others may turn up.
    package var kinds: Set<TrackKind> { Set(tracks.keys) }
    /// Whether it is a file, which has a known end.
    package var isPlainFile: Bool { input.isPlainFile }
    /// What the input declares of all its streams together; nil where it says nothing.
    package let bitsPerSecond: Int?
    package var framesPerSecond: Double? { tracks[.video]?.stream.framesPerSecond }
    /// Packets with bytes missing, as far as the container tells; they are passed on.
    package private(set) var damagedPackets = 0

    private let input: InputContext
    private let storage: PacketStorage
    private let interrupt: Interrupt
    private let limits: Limits
    /// The streams there were at first; later ones may stand in for those that ended.
    private let firstStreams: UInt32
    /// Whether what is still in the demuxer at the end may lack its last bytes, which containers do not tell.
    private let endsCut: Bool
    private var tracks: [TrackKind: DemuxedTrack] = [:]
    private var events = CircularBuffer<Event>()

    /// Opens an input and finds out what is in it.
    ///
    /// Throws `AVERROR_EXIT` as the code of ``LibAVError/failed(_:code:)`` when interrupted.
    package init(_ address: InputAddress, interrupt: Interrupt, limits: Limits = Limits()) throws(LibAVError) {
        let storage = try PacketStorage()
        let input = try InputContext(address, interrupt: interrupt, limit: limits.opening)
        interrupt.setDeadline(after: input.waitsForWriter ? nil : limits.opening)
        try unsafe checked(avformat_find_stream_info(input.pointer, nil), "avformat_find_stream_info")
        let tracks = Self.pickTracks(of: input)
        guard !tracks.isEmpty else { throw .refused("avformat_find_stream_info", reason: "no picture or sound in it") }
        let rate = unsafe input.pointer.pointee.bit_rate
        bitsPerSecond = rate > 0 && rate < 1_000_000_000 ? Int(rate) : nil
        firstStreams = unsafe input.pointer.pointee.nb_streams
        endsCut = address.losesBytes && !input.isAtEnd
        self.input = input
        self.storage = storage
        self.interrupt = interrupt
        self.limits = limits
        self.tracks = tracks
    }

    /// The next format or packet, as soon as it is there; nil at the end.
    ///
    /// Throws `AVERROR_EXIT` as the code of ``LibAVError/failed(_:code:)`` when interrupted, or when there was nothing
    /// of its tracks for too long.
    package mutating func read() throws(LibAVError) -> Event? {
        if let event = events.popFirst() { return event }
        interrupt.setDeadline(after: input.waitsForWriter ? nil : limits.reading)
        while events.isEmpty {
            guard !interrupt.isCancelled, !interrupt.isPastDeadline else {
                throw .failed("av_read_frame", code: clibav_exit)
            }
            let code = unsafe av_read_frame(input.pointer, storage.pointer)
            if code == clibav_end { return nil }
            if code == clibav_again {
                _ = interrupt.sleep(for: .milliseconds(1))
                continue
            }
            try checked(code, "av_read_frame")
            defer { unsafe av_packet_unref(storage.pointer) }
            if endsCut, input.isAtEnd { continue }
            takePacket()
        }
        return events.popFirst()
    }

    // MARK: Tracks

    private static func pickTracks(of input: borrowing InputContext) -> [TrackKind: DemuxedTrack] {
        var tracks: [TrackKind: DemuxedTrack] = [:]
        // Sound is looked for in the program of the picture.
        var related: Int32 = -1
        for (kind, type) in [(TrackKind.video, AVMEDIA_TYPE_VIDEO), (.audio, AVMEDIA_TYPE_AUDIO)] {
            let index = unsafe av_find_best_stream(input.pointer, type, -1, related, nil, 0)
            guard let stream = unsafe input.stream(index), let track = unsafe DemuxedTrack(stream) else { continue }
            tracks[kind] = track
            if kind == .video { related = index }
        }
        // Alternatives, as a multivariant playlist has them, need not be fetched.
        let picked = Set(tracks.values.map(\.index))
        for index in 0..<(unsafe Int32(clamping: input.pointer.pointee.nb_streams)) where !picked.contains(index) {
            unsafe input.stream(index)?.pointee.discard = AVDISCARD_ALL
        }
        return tracks
    }

    /// The kind of the track a packet belongs to. A stream that turns up later becomes a track where there is none of
    /// its kind, or that one has fallen silent.
    private mutating func kind(ofStream index: Int32) -> TrackKind? {
        if let known = tracks.first(where: { $0.value.index == index }) { return known.key }
        guard let stream = unsafe input.stream(index), let track = unsafe DemuxedTrack(stream) else { return nil }
        let kind = track.stream.parameters.kind
        if let present = tracks[kind], UInt32(index) < firstStreams || !present.isSilent { return nil }
        tracks[kind] = track
        return kind
    }

    private mutating func takePacket() {
        let packet = unsafe storage.pointer
        guard unsafe (1...Self.maximumPacketBytes).contains(packet.pointee.size),
            let kind = unsafe kind(ofStream: packet.pointee.stream_index)
        else { return }
        if unsafe packet.pointee.flags & AV_PKT_FLAG_CORRUPT != 0 { damagedPackets += 1 }
        var count = 0
        if let extradata = unsafe av_packet_get_side_data(packet, AV_PKT_DATA_NEW_EXTRADATA, &count),
            (1...Int(CodecParameters.maximumExtradataBytes)).contains(count)
        {
            tracks[kind]?.stream.replaceExtradata(
                unsafe ByteBuffer(bytes: UnsafeRawBufferPointer(start: extradata, count: count)))
        }
        let isKeyframe = unsafe packet.pointee.flags & AV_PKT_FLAG_KEY != 0 || kind == .audio
        guard
            let times = unsafe tracks[kind]?.times(
                decode: packet.pointee.dts, presentation: packet.pointee.pts, duration: packet.pointee.duration)
        else { return }
        let media = MediaPacket(
            track: kind, decodeTime: times.decode, presentationTime: times.presentation, isKeyframe: isKeyframe,
            data: storage.bytes)
        tracks[kind]?.stream.receive(media, into: &events)
    }
}
