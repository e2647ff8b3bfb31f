/// What libx264 calls its settings (`x264.h`: `x264_preset_names`, `x264_tune_names`, `x264_profile_names`).
enum X264 {
    static let name = "libx264"
    static let livePreset = "veryfast"
    static let liveTune = "zerolatency"

    /// From the fastest to the slowest.
    static let presets = [
        "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo",
    ]
    /// Of the first six, which are about looks, one at most.
    static let tunes = ["film", "animation", "grain", "stillimage", "psnr", "ssim", "fastdecode", "zerolatency"]
    static let profiles = ["baseline", "main", "high", "high10", "high422", "high444"]

    static func areTogether(_ words: [String]) -> Bool {
        words.allSatisfy(tunes.contains) && words.count { tunes.prefix(6).contains($0) } <= 1
    }

    /// The presets a single thread goes far with.
    static func isLight(_ preset: String) -> Bool { presets.prefix(3).contains(preset) }
}
