import HLS
import Media

/// What the multivariant playlist says, and when it has to say something else.
struct MultivariantState {
    var declaration = PublisherEvent.Declaration()
    private var meter = BandwidthMeter()
    private var published: MultivariantPlaylist?
    private var publishedAt: Int64 = 0

    /// Bits a second of a picture whose encoder declares nothing, for each pixel and frame, until it is measured.
    private static let assumedBitsPerPixel = 0.15
    /// Milliseconds after which it is sent all the same: origins forget what is not renewed, and may have been restarted.
    private static let renewal: Int64 = 5_000
    /// A measured average that has moved by less is not worth a new playlist.
    private static let tolerance = 0.1

    mutating func segmentCompleted(bytes: Int, duration: Timestamp, targetDuration: Int) {
        meter.record(bytes: bytes, duration: duration, targetDuration: targetDuration)
    }

    /// The playlist's text when it has to be sent (again), else nil.
    /// - Parameter now: milliseconds since 1970.
    mutating func next(formats: [TrackFormat], hasForcedCuts: Bool, now: Int64) -> String? {
        var variant = MultivariantPlaylist.Variant(
            uri: "source.m3u8", bandwidth: meter.peakBitsPerSecond ?? estimate(formats),
            averageBandwidth: meter.averageBitsPerSecond, codecs: formats.map(\.codecs).joined(separator: ","))
        for case .h264(let configuration) in formats {
            variant.resolution = .init(width: configuration.width, height: configuration.height)
            variant.frameRate = configuration.framesPerSecond ?? declaration.framesPerSecond
        }
        if let old = published?.variants.first, variant.isNear(old, tolerance: Self.tolerance),
            published?.independentSegments == !hasForcedCuts, (0..<Self.renewal).contains(now - publishedAt)
        {
            return nil
        }
        publishedAt = now
        let playlist = MultivariantPlaylist(variants: [variant], independentSegments: !hasForcedCuts)
        published = playlist
        return playlist.render()
    }

    private func estimate(_ formats: [TrackFormat]) -> Int {
        if let declared = declaration.bitsPerSecond { return declared }
        var bits = 128_000.0
        for case .h264(let configuration) in formats {
            bits +=
                Double(configuration.width * configuration.height) * (configuration.framesPerSecond ?? 30)
                * Self.assumedBitsPerPixel
        }
        return Int(bits)
    }
}

extension MultivariantPlaylist.Variant {
    /// Whether the other says the same but for an average that has hardly moved; a peak never falls below what was seen.
    fileprivate func isNear(_ other: MultivariantPlaylist.Variant, tolerance: Double) -> Bool {
        var same = other
        same.averageBandwidth = averageBandwidth
        guard self == same else { return false }
        guard let mine = averageBandwidth, let theirs = other.averageBandwidth else {
            return averageBandwidth == other.averageBandwidth
        }
        return Double((mine - theirs).magnitude) <= Double(theirs) * tolerance
    }
}
