import HLS
import Media
import Transcode

/// What the multivariant playlist says, and when it has to say something else.
struct MultivariantState {
    var declaration = PublisherEvent.Declaration()
    /// Seen in the video so far.
    var captions: Set<CaptionService> = []
    var hasForcedCuts = false
    private let specs: [String: RenditionSpec]
    private var published: MultivariantPlaylist?
    private var publishedAt: Int64 = 0

    /// Bits a second of a picture whose encoder declares nothing, for each pixel and frame, until it is measured.
    private static let assumedBitsPerPixel = 0.15
    /// Bits a second of audio whose encoder declares nothing.
    private static let assumedAudioBits = 128_000
    /// What MPEG-TS adds to a rate: packet headers, tables and stuffing.
    private static let multiplexing = 1.1
    /// Milliseconds after which it is sent all the same: origins forget what is not renewed, and may have been restarted.
    private static let renewal: Int64 = 5_000
    /// A measured average that has moved by less is not worth a new playlist.
    private static let tolerance = 0.1

    init(specs: [RenditionSpec]) {
        self.specs = Dictionary(specs.map { ($0.name, $0) }) { first, _ in first }
    }

    /// The playlist's text when it has to be sent (again), else nil.
    /// - Parameter now: milliseconds since 1970.
    mutating func next(of renditions: [Rendition], now: Int64) -> String? {
        var variants = renditions.map(variant)
        variants.sort { Self.rank($0) > Self.rank($1) }
        let playlist = MultivariantPlaylist(
            variants: variants, independentSegments: !hasForcedCuts, closedCaptions: captions.sorted())
        if let published, playlist.isNear(published, tolerance: Self.tolerance),
            (0..<Self.renewal).contains(now - publishedAt)
        {
            return nil
        }
        publishedAt = now
        published = playlist
        return playlist.render()
    }

    /// The largest picture first, then the highest rate; renditions without a picture last.
    private static func rank(_ variant: MultivariantPlaylist.Variant) -> (Int, Int) {
        (variant.resolution.map { $0.width * $0.height } ?? 0, variant.bandwidth)
    }

    private func variant(_ rendition: Rendition) -> MultivariantPlaylist.Variant {
        var variant = MultivariantPlaylist.Variant(
            uri: "\(rendition.name).m3u8",
            bandwidth: rendition.bandwidth.peakBitsPerSecond ?? estimate(rendition),
            averageBandwidth: rendition.bandwidth.averageBitsPerSecond,
            codecs: rendition.formats.map(\.codecs).joined(separator: ","))
        for case .h264(let configuration) in rendition.formats {
            variant.resolution = .init(width: configuration.width, height: configuration.height)
            variant.frameRate = configuration.framesPerSecond ?? declaration.framesPerSecond
        }
        return variant
    }

    /// What a rendition may take before it is measured: what its rate control allows, or what the encoder declares.
    private func estimate(_ rendition: Rendition) -> Int {
        let spec = specs[rendition.name]
        let audioBits = spec?.audio?.bitsPerSecond ?? Self.assumedAudioBits
        if case .video(let video) = spec?.kind {
            return Int(Double(video.maximumBitsPerSecond + audioBits) * Self.multiplexing)
        }
        var bits = Double(audioBits)
        for case .h264(let configuration) in rendition.formats {
            if let declared = declaration.bitsPerSecond { return declared }
            bits +=
                Double(configuration.width * configuration.height) * (configuration.framesPerSecond ?? 30)
                * Self.assumedBitsPerPixel
        }
        return Int(bits)
    }
}

extension MultivariantPlaylist {
    /// Whether the other says the same but for averages that have hardly moved; a peak never falls below what was seen.
    fileprivate func isNear(_ other: MultivariantPlaylist, tolerance: Double) -> Bool {
        var same = other
        guard variants.count == other.variants.count else { return false }
        for index in variants.indices {
            let mine = variants[index].averageBandwidth
            let theirs = other.variants[index].averageBandwidth
            same.variants[index].averageBandwidth = mine
            guard let mine, let theirs else {
                if mine != theirs { return false }
                continue
            }
            if Double((mine - theirs).magnitude) > Double(theirs) * tolerance { return false }
        }
        return self == same
    }
}
