package import LibAV

/// What one rendition of every stream is to be, as `--rendition` says it.
package struct RenditionSpec: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// The publisher's packets as they are.
        case source
        /// Audio alone.
        case audio
        /// Decoded, scaled and encoded.
        case video(Video)
    }

    package struct Video: Hashable, Sendable {
        /// The box the picture must fit, both sides even; nil: the source's own size.
        package var box: PictureSize?
        /// Whether the box stands upright for a source that does; presets do.
        package var turnsWithSource = false
        /// Whether a source smaller than the box is enlarged, rather than the rendition left out.
        package var allowsUpscale = false
        /// Nil: the source's.
        package var frameRate: FrameRate?
        /// On average.
        package var bitsPerSecond: Int
        /// Over one second, which is what the VBV holds; at least `bitsPerSecond`.
        package var maximumBitsPerSecond: Int
        /// By libavcodec's name.
        package var encoder = X264.name
        /// Nil: the encoder's own default.
        package var preset: String? = X264.livePreset
        package var tune: String? = X264.liveTune
        package var profile: String?
        /// Options of the encoder or of libavcodec, which win over all others.
        package var encoderOptions: [VideoEncoder.Configuration.Option] = []

        /// - Parameter maximumBitsPerSecond: 1.2 × `bitsPerSecond` unless given.
        package init(box: PictureSize? = nil, bitsPerSecond: Int, maximumBitsPerSecond: Int? = nil) {
            self.box = box
            self.bitsPerSecond = bitsPerSecond
            self.maximumBitsPerSecond = maximumBitsPerSecond ?? Self.maximum(for: bitsPerSecond)
        }

        static func maximum(for bitsPerSecond: Int) -> Int { bitsPerSecond + bitsPerSecond / 5 }

        package var framesPerSecond: Double? { frameRate?.framesPerSecond }
    }

    /// The change asked of the audio.
    package struct Audio: Hashable, Sendable {
        /// Nil: what ``defaultBitsPerSecond(channelCount:)`` says.
        package var bitsPerSecond: Int?
        /// 1 to 8; nil: the source's.
        package var channelCount: Int?

        package init(bitsPerSecond: Int? = nil, channelCount: Int? = nil) {
            self.bitsPerSecond = bitsPerSecond
            self.channelCount = channelCount
        }

        /// 64 kbit/s for each channel: for audio that must be encoded though nothing is asked of it.
        package static func defaultBitsPerSecond(channelCount: Int) -> Int { 64_000 * min(max(channelCount, 1), 8) }
    }

    /// 1 to 32 of `a`–`z`, `0`–`9`, `_` and `-`; the media playlist is called `NAME.m3u8`.
    package var name: String
    package var kind: Kind
    /// Nil: AAC is passed on as it is.
    package var audio: Audio?

    package init(name: String, kind: Kind, audio: Audio? = nil) {
        self.name = name
        self.kind = kind
        self.audio = audio
    }

    package static let source = RenditionSpec(name: "source", kind: .source)

    package var video: Video? {
        if case .video(let video) = kind { video } else { nil }
    }
}
