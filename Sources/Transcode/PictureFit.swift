/// How a source's picture comes into a rendition's box.
struct PictureFit {
    /// Of the encoded picture: both sides even, from 16 to 8192.
    let size: PictureSize
    /// Whether the picture need not be enlarged to fill its box; a source that falls short by no more than a
    /// sixteenth, as cropped ones do, counts as filling it, and keeps its own size.
    let isWithinSource: Bool

    static let sides = 16.0...8_192.0
    private static let tolerance = 1 + 1.0 / 16

    init(_ video: RenditionSpec.Video, _ source: LadderPlan.Source) {
        let (width, height) = Self.shown(source)
        var box = video.box ?? PictureSize(width: Int(Self.sides.upperBound), height: Int(Self.sides.upperBound))
        if video.turnsWithSource, height > width { box = box.turned }
        let factor = min(Double(box.width) / width, Double(box.height) / height)
        isWithinSource = video.box == nil || video.allowsUpscale || factor <= Self.tolerance
        let enlarges = video.box != nil && video.allowsUpscale
        let scale = enlarges ? factor : min(factor, 1)
        size = PictureSize(width: Self.even(width * scale), height: Self.even(height * scale))
    }

    /// The size in square pixels: the height stays, as the lines are what a picture has been made of.
    private static func shown(_ source: LadderPlan.Source) -> (width: Double, height: Double) {
        let isUsable = source.pixelWidth > 0 && source.pixelHeight > 0
        let pixel = isUsable ? Double(source.pixelWidth) / Double(source.pixelHeight) : 1
        return (Double(max(source.size.width, 1)) * pixel, Double(max(source.size.height, 1)))
    }

    private static func even(_ side: Double) -> Int {
        Int((min(max(side, sides.lowerBound), sides.upperBound) / 2).rounded()) * 2
    }
}
