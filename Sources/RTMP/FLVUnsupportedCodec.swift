import NIOCore

/// A codec we can name and not take.
package enum FLVUnsupportedCodec: Hashable, Sendable {
    /// CodecID, 4 bits (`FLV 10.1 §E.4.3.1`).
    case video(codecID: UInt8)
    /// SoundFormat, 4 bits (`FLV 10.1 §E.4.2.1`).
    case audio(soundFormat: UInt8)
    /// A tag of Enhanced RTMP; nil if the FourCC is none we know, or stands deeper in the tag.
    case enhancedVideo(EnhancedCodec?)
    case enhancedAudio(EnhancedCodec?)

    /// The codecs of Enhanced RTMP by their FourCC (`E-RTMP v2`, Enhanced Audio, Enhanced Video).
    package enum EnhancedCodec: String, Sendable, CaseIterable {
        case vp08, vp09, av01, avc1, hvc1, vvc1
        case ac3 = "ac-3"
        case ec3 = "ec-3"
        case opus = "Opus"
        case mp3 = ".mp3"
        case flac = "fLaC"
        case mp4a
    }

    /// One of a fixed set of names, fit for a log, a message to the encoder, and a metric's label.
    package var name: String {
        switch self {
        case .video(let codecID): Self.videoNames[codecID] ?? "unknown video codec"
        case .audio(let soundFormat): Self.audioNames[soundFormat] ?? "unknown sound format"
        case .enhancedVideo(let codec?), .enhancedAudio(let codec?): codec.rawValue
        case .enhancedVideo(nil): "unknown Enhanced RTMP video"
        case .enhancedAudio(nil): "unknown Enhanced RTMP audio"
        }
    }

    private static let videoNames: [UInt8: String] = [
        2: "H.263", 3: "Screen Video", 4: "VP6", 5: "VP6 with alpha", 6: "Screen Video 2", 12: "HEVC with codec id 12",
    ]

    private static let audioNames: [UInt8: String] = [
        0: "PCM", 1: "ADPCM", 2: "MP3", 3: "PCM little-endian", 4: "Nellymoser 16 kHz", 5: "Nellymoser 8 kHz",
        6: "Nellymoser", 7: "G.711 A-law", 8: "G.711 mu-law", 11: "Speex", 14: "MP3 8 kHz", 15: "device-specific sound",
    ]

    static func enhancedVideo(packetType: UInt8, from buffer: inout ByteBuffer) -> FLVUnsupportedCodec {
        .enhancedVideo(enhancedCodec(packetType: packetType, multitrackType: 6, from: &buffer))
    }

    static func enhancedAudio(packetType: UInt8, from buffer: inout ByteBuffer) -> FLVUnsupportedCodec {
        .enhancedAudio(enhancedCodec(packetType: packetType, multitrackType: 5, from: &buffer))
    }

    /// The FourCC stands behind the first byte, except in Multitrack and ModEx (7) packets.
    private static func enhancedCodec(
        packetType: UInt8, multitrackType: UInt8, from buffer: inout ByteBuffer
    ) -> EnhancedCodec? {
        guard packetType != multitrackType, packetType != 7 else { return nil }
        return buffer.readString(length: 4).flatMap(EnhancedCodec.init(rawValue:))
    }
}
