/// The renditions that have a name of their own.
package enum RenditionPreset: String, CaseIterable, Sendable {
    case source
    case p1080 = "1080p"
    case p720 = "720p"
    case p480 = "480p"
    case p360 = "360p"
    case p240 = "240p"
    case audio

    package var spec: RenditionSpec {
        switch self {
        case .source: .source
        case .audio: RenditionSpec(name: rawValue, kind: .audio)
        case .p1080: video(1_920, 1_080, 5_000_000)
        case .p720: video(1_280, 720, 2_800_000)
        case .p480: video(854, 480, 1_400_000)
        case .p360: video(640, 360, 800_000)
        case .p240: video(426, 240, 400_000)
        }
    }

    static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }

    /// The picture of the preset of this height.
    static func video(height: Int) -> RenditionSpec.Video? {
        allCases.lazy.compactMap(\.spec.video).first { $0.box?.height == height }
    }

    private func video(_ width: Int, _ height: Int, _ bitsPerSecond: Int) -> RenditionSpec {
        var video = RenditionSpec.Video(
            box: PictureSize(width: width, height: height), bitsPerSecond: bitsPerSecond)
        video.turnsWithSource = true
        return RenditionSpec(name: rawValue, kind: .video(video))
    }
}
