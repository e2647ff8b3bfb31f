import Testing

/// Test media as an encoder would send it, made by the ffmpeg command: a moving picture that is white, and a beep of
/// 1 kHz, at the beginning of each full second; a keyframe every second.
struct MediaSource: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var size = "426x240"
    /// Pictures a second, a whole number or `30000/1001`.
    var rate = "30"
    var seconds = 8
    /// Two in five pictures are left out, and for most of the fourth second there is none at all.
    var hasVariableRate = false
    /// Fields of twice the rate, the upper one first.
    var isInterlaced = false
    var consecutiveBFrames = 0
    var sampleRate = 48_000
    /// As ffmpeg calls it.
    var channelLayout = "stereo"

    /// The whole number nearest to the rate.
    var roundedRate: Int {
        let parts = rate.split(separator: "/").compactMap { Double($0) }
        return Int(((parts.first ?? 0) / (parts.count > 1 ? parts[1] : 1)).rounded())
    }

    /// Whether pictures lie exactly at full seconds.
    var hasExactSeconds: Bool { !rate.contains("/") && !isInterlaced }

    private var picture: [String] {
        let drawn = isInterlaced ? "\(roundedRate * 2)" : rate
        // White from half a picture before the second to half a picture after it, whatever rounding does.
        let half = "\(0.5 / Double(isInterlaced ? roundedRate * 2 : roundedRate))"
        var filters = [
            "testsrc2=size=\(size):rate=\(drawn)",
            "drawbox=color=white:t=fill:enable='lt(mod(t+\(half)\\,1)\\,2*\(half))'",
        ]
        if hasVariableRate { filters.append("select='lt(mod(n\\,5)\\,3)*not(between(t\\,3.2\\,3.9))'") }
        if isInterlaced { filters.append("tinterlace=interleave_top") }
        return ["-f", "lavfi", "-i", filters.joined(separator: ",")]
    }

    private var sound: [String] {
        let beep = "aevalsrc='if(lt(mod(t\\,1)\\,0.1)\\,0.5*sin(2*PI*1000*t)\\,0)'"
        return ["-f", "lavfi", "-i", "\(beep):s=\(sampleRate):c=\(channelLayout)"]
    }

    private var videoEncoder: [String] {
        var options = [
            "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-sc_threshold", "0",
            "-bf", "\(consecutiveBFrames)", "-b_strategy", "0", "-fps_mode", "passthrough",
        ]
        if hasVariableRate {
            options += ["-g", "900", "-force_key_frames", "expr:gte(t,n_forced)"]
        } else {
            options += ["-g", "\(roundedRate)", "-keyint_min", "\(roundedRate)"]
        }
        if isInterlaced { options += ["-flags", "+ildct+ilme", "-x264-params", "tff=1"] }
        return options
    }

    /// Writes it to a file of the format its name ends with.
    func make(_ path: String) async throws {
        try await FFmpeg.run(
            picture + sound + ["-t", "\(seconds)"] + videoEncoder
                + ["-c:a", "aac", "-b:a", channelLayout == "5.1" ? "320k" : "128k", path])
    }
}
