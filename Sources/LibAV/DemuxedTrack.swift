import CLibAV
import Media
import NIOCore

/// One of an input's streams that is read: where it stands, its clock, and what becomes of its packets.
@safe struct DemuxedTrack {
    let index: Int32
    var stream: ElementaryStream
    private let timeBase: AVRational
    /// When the next packet is to be decoded if it does not say so itself.
    private var nextDecodeTime = Timestamp(value: 0, timescale: Timestamp.mpegTimescale)
    private var lastArrival = ContinuousClock.now

    /// After so long without a packet another stream may take the track's place.
    private static let silence = Duration.seconds(1)

    /// Nil for a stream of another kind, a still picture, and what libavcodec has no decoder for.
    init?(_ stream: UnsafeMutablePointer<AVStream>) {
        guard let parameters = unsafe CodecParameters(stream) else { return nil }
        index = unsafe stream.pointee.index
        timeBase = unsafe stream.pointee.time_base
        self.stream =
            switch AVCodecID(rawValue: parameters.identifier) {
            case AV_CODEC_ID_H264: ElementaryStream(.h264, parameters)
            case AV_CODEC_ID_AAC: ElementaryStream(.aac, parameters)
            default: ElementaryStream(.other, parameters)
            }
    }

    var isSilent: Bool { lastArrival.duration(to: .now) > Self.silence }

    /// A packet's times in ticks of 90 kHz; what it does not tell is guessed from what it does, and the packet before.
    mutating func times(
        decode: Int64, presentation: Int64, duration: Int64
    ) -> (decode: Timestamp, presentation: Timestamp) {
        lastArrival = .now
        let decodeTime = ticks(decode) ?? ticks(presentation) ?? nextDecodeTime
        let step = ticks(duration).flatMap { $0.value > 0 ? $0 : nil } ?? stream.packetDuration
        nextDecodeTime = decodeTime + step
        return (decodeTime, ticks(presentation) ?? decodeTime)
    }

    private func ticks(_ time: Int64) -> Timestamp? {
        guard time != clibav_no_time else { return nil }
        return Timestamp(libavTime: time, timeBase: timeBase).rescaled(to: Timestamp.mpegTimescale)
    }
}

extension CodecParameters {
    /// Longer extradata is left out; in bytes.
    static let maximumExtradataBytes: Int32 = 1 << 20

    /// Nil for a stream that is no track: of another kind, a still picture, or without a decoder.
    init?(_ stream: UnsafeMutablePointer<AVStream>) {
        guard let parameters = unsafe stream.pointee.codecpar else { return nil }
        let kind: TrackKind
        switch unsafe parameters.pointee.codec_type {
        case AVMEDIA_TYPE_VIDEO: kind = .video
        case AVMEDIA_TYPE_AUDIO: kind = .audio
        default: return nil
        }
        let still = AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS | AV_DISPOSITION_STILL_IMAGE
        let identifier = unsafe parameters.pointee.codec_id
        guard unsafe stream.pointee.disposition & still == 0, unsafe avcodec_find_decoder(identifier) != nil
        else { return nil }
        let count = unsafe parameters.pointee.extradata_size
        var extradata = ByteBuffer()
        if let data = unsafe parameters.pointee.extradata, (1...Self.maximumExtradataBytes).contains(count) {
            unsafe extradata.writeBytes(UnsafeRawBufferPointer(start: data, count: Int(count)))
        }
        self.init(
            kind: kind, name: unsafe String(cString: avcodec_get_name(identifier)), identifier: identifier.rawValue,
            extradata: extradata, format: unsafe parameters.pointee.format,
            width: unsafe Int(max(0, parameters.pointee.width)),
            height: unsafe Int(max(0, parameters.pointee.height)),
            framesPerSecond: unsafe Self.framesPerSecond(stream),
            sampleRate: unsafe Int(max(0, parameters.pointee.sample_rate)),
            channelCount: unsafe Int(max(0, parameters.pointee.ch_layout.nb_channels)),
            bitsPerCodedSample: unsafe Int(max(0, parameters.pointee.bits_per_coded_sample)),
            blockAlign: unsafe Int(max(0, parameters.pointee.block_align)))
    }

    /// 0.1 to 1,000; nil where the container tells nothing of use.
    private static func framesPerSecond(_ stream: UnsafeMutablePointer<AVStream>) -> Double? {
        for rate in unsafe [stream.pointee.avg_frame_rate, stream.pointee.r_frame_rate] where rate.den > 0 {
            let value = Double(rate.num) / Double(rate.den)
            if (0.1...1_000).contains(value) { return value }
        }
        return nil
    }
}
