import LibAV
import Media

/// The audio of all renditions: decoded once, encoded once for all that ask for the same, passed on where AAC comes and
/// nothing is asked. Confined to the ladder's source.
final class AudioLadder {
    struct Output {
        var packet: MediaPacket
        var renditions: [String]
    }

    private let source: TrackFormat
    private var decoder: Decoder?
    private let passed: [String]
    private let encodings: [AudioEncoding]

    /// Throws when the audio is to be encoded and cannot be.
    init(_ format: TrackFormat, for specs: [RenditionSpec]) throws(LibAVError) {
        source = format
        var passed: [String] = []
        var asked: [AudioEncoder.Configuration: [String]] = [:]
        for spec in specs {
            if let configuration = Self.encoding(of: format, for: spec.audio) {
                asked[configuration, default: []].append(spec.name)
            } else {
                passed.append(spec.name)
            }
        }
        self.passed = passed
        var encodings: [AudioEncoding] = []
        for (configuration, renditions) in asked {
            encodings.append(try AudioEncoding(configuration, renditions: renditions))
        }
        self.encodings = encodings
        if !encodings.isEmpty { decoder = try Decoder(format) }
    }

    /// What a rendition's audio is encoded to; nil where the source's is passed on.
    private static func encoding(
        of format: TrackFormat, for asked: RenditionSpec.Audio?
    ) -> AudioEncoder.Configuration? {
        let rate: Int
        let channels: Int
        switch format {
        case .h264: return nil
        case .aac(let configuration):
            if asked == nil { return nil }
            (rate, channels) = (configuration.sampleRate, configuration.channelCount ?? 2)
        case .other(let parameters): (rate, channels) = (parameters.sampleRate, parameters.channelCount)
        }
        // Without a wish, what every player takes: two channels at most.
        let count = asked?.channelCount ?? (asked == nil ? min(max(channels, 1), 2) : min(max(channels, 1), 8))
        return AudioEncoder.Configuration(
            sampleRate: [32_000, 44_100, 48_000].contains(rate) ? rate : 48_000, channelCount: count,
            bitsPerSecond: asked?.bitsPerSecond ?? RenditionSpec.Audio.defaultBitsPerSecond(channelCount: count))
    }

    func format(for rendition: String) -> TrackFormat? {
        if passed.contains(rendition) { return source }
        return encodings.first { $0.renditions.contains(rendition) }?.format
    }

    /// Throws for what cannot be decoded.
    func receive(_ packet: MediaPacket, into outputs: inout [Output]) throws(LibAVError) {
        if !passed.isEmpty { outputs.append(Output(packet: packet, renditions: passed)) }
        try decoder?.send(packet)
        try encodeFrames(into: &outputs)
    }

    /// Gives what is still inside, and begins anew.
    func restart(into outputs: inout [Output]) throws(LibAVError) {
        guard decoder != nil else { return }
        try decoder?.end()
        try encodeFrames(into: &outputs)
        decoder = nil
        decoder = try Decoder(source)
        for encoding in encodings { try encoding.restart(into: &outputs) }
    }

    private func encodeFrames(into outputs: inout [Output]) throws(LibAVError) {
        while let frame = try decoder?.receive() {
            for encoding in encodings { try encoding.encode(frame, into: &outputs) }
        }
    }
}

/// The audio of the renditions that ask for the same.
private final class AudioEncoding {
    let renditions: [String]
    let format: TrackFormat
    private let configuration: AudioEncoder.Configuration
    private var encoder: AudioEncoder
    private var graph: FilterGraph?
    private var layout: FrameLayout?

    init(_ configuration: AudioEncoder.Configuration, renditions: [String]) throws(LibAVError) {
        self.configuration = configuration
        self.renditions = renditions
        let encoder = try AudioEncoder(configuration)
        format = encoder.format
        self.encoder = encoder
    }

    func encode(_ frame: Frame, into outputs: inout [AudioLadder.Output]) throws(LibAVError) {
        if graph == nil || frame.layout != layout {
            graph = nil
            // Timestamps lead: gaps become silence, and a source whose clock drifts is stretched.
            var graph = try FilterGraph(
                "aresample=\(configuration.sampleRate):async=1000,"
                    + "aformat=sample_fmts=fltp:channel_layouts=\(encoder.channelLayout)", input: frame.layout)
            graph.setFrameSize(encoder.samplesPerFrame)
            self.graph = consume graph
            layout = frame.layout
        }
        try graph?.send(frame)
        try encodeFiltered(into: &outputs)
    }

    func restart(into outputs: inout [AudioLadder.Output]) throws(LibAVError) {
        try graph?.end()
        try encodeFiltered(into: &outputs)
        graph = nil
        try encoder.end()
        try takePackets(into: &outputs)
        encoder = try AudioEncoder(configuration)
    }

    private func encodeFiltered(into outputs: inout [AudioLadder.Output]) throws(LibAVError) {
        while let frame = try graph?.receive() {
            try encoder.send(frame)
            try takePackets(into: &outputs)
        }
    }

    private func takePackets(into outputs: inout [AudioLadder.Output]) throws(LibAVError) {
        while let packet = try encoder.receive() {
            outputs.append(AudioLadder.Output(packet: packet, renditions: renditions))
        }
    }
}
