/// What kind of elementary stream a track is.
package enum TrackKind: Hashable, Sendable, CaseIterable {
    case video
    case audio
}

/// How a track's packets are to be decoded.
package enum TrackFormat: Hashable, Sendable {
    case h264(AVCDecoderConfiguration)
    case aac(AudioSpecificConfig)
    /// Anything else libavcodec decodes: it can be transcoded, not passed on.
    case other(CodecParameters)

    package var kind: TrackKind {
        switch self {
        case .h264: .video
        case .aac: .audio
        case .other(let parameters): parameters.kind
        }
    }

    /// Whether its packets can go into a segment as they are.
    package var isTransmuxable: Bool {
        if case .other = self { false } else { true }
    }

    /// The track's element of a CODECS attribute (`RFC 6381 §3.3`), such as `avc1.64001f` or `mp4a.40.2`;
    /// where there is none, the codec's name.
    package var codecs: String {
        switch self {
        case .h264(let configuration): configuration.codecs
        case .aac(let configuration): configuration.codecs
        case .other(let parameters): parameters.name
        }
    }
}
