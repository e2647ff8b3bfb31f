import CLibAV
package import Media

/// Everything a filter graph or an encoder is set up for; two frames of equal layouts need no new one.
package struct FrameLayout: Hashable, Sendable {
    package let kind: TrackKind
    /// An `AVPixelFormat` or `AVSampleFormat`.
    let format: Int32
    /// In pixels; 0 for sound.
    package let width: Int
    package let height: Int
    /// The width of a pixel by its height; 0:1 where it is not known.
    package let sampleAspectRatio: AspectRatio
    /// How sample values stand for colours, in numbers of `ISO 23091-2` but for the range, which is an `AVColorRange`.
    let colourRange: UInt32
    package let colourPrimaries: UInt32
    package let transferCharacteristics: UInt32
    package let matrixCoefficients: UInt32
    let chromaLocation: UInt32
    /// In hertz; 0 for pictures.
    package let sampleRate: Int
    package let channelCount: Int
    /// As libavutil calls it, such as `stereo` or `5.1`; empty for pictures.
    package let channelLayout: String

    package struct AspectRatio: Hashable, Sendable {
        package let numerator: Int32
        package let denominator: Int32
    }

    /// The format as libavutil calls it, such as `yuv420p` or `fltp`.
    package var formatName: String {
        let name =
            kind == .video
            ? unsafe av_get_pix_fmt_name(AVPixelFormat(rawValue: format))
            : unsafe av_get_sample_fmt_name(AVSampleFormat(rawValue: format))
        return unsafe name.map { unsafe String(cString: $0) } ?? ""
    }

    /// Whether black is 0 and white is 255, not 16 and 235.
    package var isFullRange: Bool {
        colourRange == AVCOL_RANGE_JPEG.rawValue || kind == .video && format == AV_PIX_FMT_YUVJ420P.rawValue
    }

    /// Reads the layout of a frame that holds data.
    init(_ frame: UnsafePointer<AVFrame>) {
        kind = unsafe frame.pointee.width > 0 ? .video : .audio
        format = unsafe frame.pointee.format
        width = unsafe Int(frame.pointee.width)
        height = unsafe Int(frame.pointee.height)
        let ratio = unsafe frame.pointee.sample_aspect_ratio
        let isKnown = ratio.num > 0 && ratio.den > 0
        sampleAspectRatio = AspectRatio(numerator: isKnown ? ratio.num : 0, denominator: isKnown ? ratio.den : 1)
        colourRange = unsafe frame.pointee.color_range.rawValue
        colourPrimaries = unsafe frame.pointee.color_primaries.rawValue
        transferCharacteristics = unsafe frame.pointee.color_trc.rawValue
        matrixCoefficients = unsafe frame.pointee.colorspace.rawValue
        chromaLocation = unsafe frame.pointee.chroma_location.rawValue
        sampleRate = unsafe Int(frame.pointee.sample_rate)
        channelCount = unsafe Int(frame.pointee.ch_layout.nb_channels)
        channelLayout = kind == .audio ? unsafe Self.describe(frame.pointee.ch_layout) : ""
    }

    /// A channel layout as libavutil calls it.
    static func describe(_ layout: AVChannelLayout) -> String {
        var layout = unsafe layout
        var text = [CChar](repeating: 0, count: 128)
        let code = unsafe av_channel_layout_describe(&layout, &text, text.count)
        return code < 0 ? "" : String(libavText: text)
    }

    /// The ticks a second of the times inside frames of this layout.
    var timescale: Int32 { kind == .video ? Timestamp.mpegTimescale : Int32(clamping: max(1, sampleRate)) }
}
