package import LibAV

/// Which renditions a source gets, and how large their pictures are.
///
/// | rendition | runs |
/// |---|---|
/// | `source` | when its video can be passed on; without video, when there is audio |
/// | `audio` | when there is audio |
/// | video, source without video | when it runs already; or, the last one, when nothing else would: with audio alone |
/// | video, larger than the source | when it may enlarge, or runs already; or, the smallest, when no other video would |
/// | any other video | always |
///
/// A picture keeps the shape it is shown in, becomes square pixels, and fits the rendition's box; it is never larger
/// than the source, unless the rendition may enlarge.
package enum LadderPlan {
    /// The source's video.
    package struct Source: Hashable, Sendable {
        /// As coded.
        package var size: PictureSize
        /// Width to height of one pixel; where either is not above 0, pixels are square.
        package var pixelWidth = 1
        package var pixelHeight = 1
        package var framesPerSecond: Double?
        /// Whether it can go into segments as it comes.
        package var isPassable = true

        package init(size: PictureSize, framesPerSecond: Double? = nil) {
            self.size = size
            self.framesPerSecond = framesPerSecond
        }

        package init(_ frame: Frame, framesPerSecond: Double?) {
            self.init(size: PictureSize(width: frame.width, height: frame.height), framesPerSecond: framesPerSecond)
            pixelWidth = Int(frame.layout.sampleAspectRatio.numerator)
            pixelHeight = Int(frame.layout.sampleAspectRatio.denominator)
        }
    }

    package struct Rendition: Hashable, Sendable, CustomStringConvertible {
        package var spec: RenditionSpec
        /// What it is encoded at, both sides even; nil for `source` and for audio alone.
        package var picture: PictureSize?

        package var description: String { picture.map { "\(spec.name)=\($0)" } ?? spec.name }
    }

    /// - Parameters:
    ///   - specs: all there are, in any order; that of `source` counts as video where it runs.
    ///   - source: nil where there is no video.
    ///   - running: names of the renditions that players may be on already: those stay, as long as there is anything
    ///     for them.
    package static func renditions(
        _ specs: [RenditionSpec], source: Source?, hasAudio: Bool, running: Set<String> = []
    ) -> [Rendition] {
        var chosen = specs.filter { runs($0, source, hasAudio: hasAudio, isRunning: running.contains($0.name)) }
        let fallback = source == nil ? audioFallback(specs, chosen, hasAudio) : videoFallback(specs, chosen)
        chosen += fallback.map { [$0] } ?? []
        return specs.filter(chosen.contains).map { spec in
            Rendition(spec: spec, picture: source.flatMap { source in spec.video.map { PictureFit($0, source).size } })
        }
    }

    private static func runs(_ spec: RenditionSpec, _ source: Source?, hasAudio: Bool, isRunning: Bool) -> Bool {
        switch spec.kind {
        case .source: return source?.isPassable ?? hasAudio
        case .audio: return hasAudio
        case .video(let video):
            guard let source else { return isRunning && hasAudio }
            return isRunning || PictureFit(video, source).isWithinSource
        }
    }

    private static func videoFallback(_ specs: [RenditionSpec], _ chosen: [RenditionSpec]) -> RenditionSpec? {
        if chosen.contains(where: { $0.kind != .audio }) { return nil }
        return specs.filter { $0.video != nil }.min { ($0.video?.box?.area ?? 0) < ($1.video?.box?.area ?? 0) }
    }

    private static func audioFallback(
        _ specs: [RenditionSpec], _ chosen: [RenditionSpec], _ hasAudio: Bool
    ) -> RenditionSpec? {
        hasAudio && chosen.isEmpty ? specs.last { $0.video != nil } : nil
    }
}
