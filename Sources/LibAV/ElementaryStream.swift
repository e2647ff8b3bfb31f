import Media
import NIOCore

/// Brings one track's packets, as a container has them, into the form the project passes on: H.264 behind lengths
/// with its configuration apart, AAC without ADTS, all else as it is.
struct ElementaryStream {
    private enum Form {
        case lengthPrefixed
        case annexB(ParameterSets)
        case raw
        case adts
        case other
    }

    /// What a container tells of a track ahead.
    let parameters: CodecParameters
    private var form: Form
    /// The format the next packet is in; nil until that is known.
    private var format: TrackFormat?
    private var hasToldFormat = false

    init(_ codec: Codec, _ parameters: CodecParameters) {
        self.parameters = parameters
        switch codec {
        case .h264 where parameters.extradata.getInteger(at: parameters.extradata.readerIndex, as: UInt8.self) == 1:
            form = .lengthPrefixed
            format = (try? AVCDecoderConfiguration(parameters.extradata)).map { .h264($0) }
        case .h264:
            var sets = ParameterSets()
            _ = sets.take(AnnexB.nalUnits(parameters.extradata))
            form = .annexB(sets)
            format = sets.configuration.map { .h264($0) }
        case .aac where parameters.extradata.readableBytes > 0:
            form = .raw
            format = (try? AudioSpecificConfig(parameters.extradata)).map { .aac($0) }
        case .aac:
            form = .adts
        case .other:
            form = .other
        }
        switch form {
        case .annexB, .adts: break
        case .lengthPrefixed, .raw, .other:
            // Where our own reading of the record fails, the decoder may still make something of it.
            if format == nil { (form, format) = (.other, .other(parameters)) }
        }
    }

    /// The codecs that are passed on, and all others.
    enum Codec {
        case h264
        case aac
        case other
    }

    /// What the track's pictures are expected at.
    var framesPerSecond: Double? {
        if case .h264(let configuration)? = format, let rate = configuration.framesPerSecond { return rate }
        return parameters.framesPerSecond
    }

    /// How long a packet lasts that does not say so: several audio frames share the one timestamp MPEG-TS has for them.
    var packetDuration: Timestamp {
        switch parameters.kind {
        case .video:
            let ticks = (Double(Timestamp.mpegTimescale) / (framesPerSecond ?? 30)).rounded()
            return Timestamp(value: Int64(ticks), timescale: Timestamp.mpegTimescale)
        case .audio:
            if case .aac(let configuration)? = format {
                return Timestamp(
                    value: Int64(configuration.samplesPerAccessUnit),
                    timescale: Int32(clamping: configuration.sampleRate))
            }
            let samples: [String: Int64] = ["mp2": 1_152, "mp3": 1_152, "ac3": 1_536, "eac3": 1_536, "opus": 960]
            let rate = parameters.sampleRate > 0 ? parameters.sampleRate : 48_000
            return Timestamp(value: samples[parameters.name] ?? 1_024, timescale: Int32(clamping: rate))
        }
    }

    /// A record that replaces the one of before, which some containers put beside a packet.
    mutating func replaceExtradata(_ extradata: ByteBuffer) {
        let replaced: TrackFormat?
        switch form {
        case .lengthPrefixed: replaced = (try? AVCDecoderConfiguration(extradata)).map { .h264($0) }
        case .raw: replaced = (try? AudioSpecificConfig(extradata)).map { .aac($0) }
        case .annexB, .adts: return
        case .other:
            var parameters = parameters
            parameters.extradata = extradata
            replaced = .other(parameters)
        }
        if let replaced { setFormat(replaced) }
    }

    /// Puts what a packet comes to behind `events`: a format that is new, then access units. Packets from before the
    /// format is known come to nothing.
    mutating func receive(_ packet: MediaPacket, into events: inout CircularBuffer<Demuxer.Event>) {
        switch form {
        case .lengthPrefixed, .raw, .other:
            put(packet, into: &events)
        case .annexB(var sets):
            let units = AnnexB.nalUnits(packet.data)
            if sets.take(units) { form = .annexB(sets) }
            // Sets that are new in the middle of a group of pictures are in the packets as well; the format can wait.
            if packet.isKeyframe, let configuration = sets.configuration { setFormat(.h264(configuration)) }
            guard packet.isKeyframe || hasToldFormat else { return }
            var packet = packet
            packet.data = AnnexB.lengthPrefixed(units)
            if packet.data.readableBytes > 0 { put(packet, into: &events) }
        case .adts:
            receiveFrames(packet, into: &events)
        }
    }

    private mutating func receiveFrames(_ packet: MediaPacket, into events: inout CircularBuffer<Demuxer.Event>) {
        var rest = packet.data
        var time = packet.presentationTime
        while rest.readableBytes > 0 {
            let frame: ADTSFrame
            do throws(MediaError) {
                frame = try ADTSFrame(&rest)
            } catch {
                // What cannot be taken apart is decoded as it is; anything else is damage, and costs the packet.
                if error == .invalid(.channelConfiguration) || error == .invalid(.rawDataBlocks) {
                    form = .other
                    setFormat(.other(parameters))
                    put(packet, into: &events)
                }
                return
            }
            let configuration = frame.configuration
            setFormat(.aac(configuration))
            put(
                MediaPacket(
                    track: .audio, decodeTime: time, presentationTime: time, isKeyframe: true, data: frame.accessUnit),
                into: &events)
            time =
                time
                + Timestamp(
                    value: Int64(configuration.samplesPerAccessUnit),
                    timescale: Int32(clamping: configuration.sampleRate))
        }
    }

    private mutating func setFormat(_ format: TrackFormat) {
        guard self.format != format else { return }
        self.format = format
        hasToldFormat = false
    }

    private mutating func put(_ packet: MediaPacket, into events: inout CircularBuffer<Demuxer.Event>) {
        guard let format else { return }
        if !hasToldFormat { events.append(.format(format)) }
        hasToldFormat = true
        events.append(.packet(packet))
    }
}
