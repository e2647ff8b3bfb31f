import LibAV

/// A rendition as it was written, before its values are looked at.
struct RenditionDraft {
    /// Nil for one that is written in full.
    private let preset: RenditionPreset?
    private let name: String
    private var values: [RenditionKey: String] = [:]

    static let sides = 16...8_192
    static let videoBitRates = 16_000...200_000_000
    static let maximumBitRate = 400_000_000
    static let frameRates = 1.0...240.0
    static let audioBitRates = 8_000...512_000
    static let channelCounts = 1...8
    static let nameLength = 1...32

    init(preset: RenditionPreset) {
        self.preset = preset
        name = preset.rawValue
    }

    init(name: String) {
        preset = nil
        self.name = name
    }

    mutating func set(_ word: String, _ value: String) throws(RenditionError) {
        guard let key = RenditionKey(rawValue: word) else { throw .unknownKey(word, rendition: name) }
        guard values.updateValue(value, forKey: key) == nil else { throw .givenTwice(key: word, rendition: name) }
    }

    func spec(encoders: [String]) throws(RenditionError) -> RenditionSpec {
        switch preset?.spec.kind {
        case .source:
            try accept([], "passes on what the encoder sends and takes no settings")
            return .source
        case .audio:
            try accept(RenditionKey.ofAudio, "takes audio-bitrate and audio-channels alone")
            return RenditionSpec(name: name, kind: .audio, audio: try audio())
        case .video(let video):
            return RenditionSpec(name: name, kind: .video(try changed(video, encoders)), audio: try audio())
        case nil:
            try checkName()
            return RenditionSpec(name: name, kind: .video(try changed(try written(), encoders)), audio: try audio())
        }
    }

    // MARK: The parts

    private func checkName() throws(RenditionError) {
        let isWord = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"),
                UInt8(ascii: "-"):
                true
            default: false
            }
        }
        if !isWord || !Self.nameLength.contains(name.utf8.count) || name == "playlist" {
            throw .invalidValue(
                name, key: "name", rendition: "a rendition",
                accepted: "1 to 32 of a-z, 0-9, _ and -, and not “playlist”")
        }
    }

    /// What a rendition written in full begins with.
    private func written() throws(RenditionError) -> RenditionSpec.Video {
        let size = try size()
        if let size, let preset = RenditionPreset.video(height: size.height) {
            return RenditionSpec.Video(box: size, bitsPerSecond: preset.bitsPerSecond)
        }
        guard let bits = try bitRate(.videoBitRate, in: Self.videoBitRates) else {
            throw .missingBitRate(rendition: name)
        }
        return RenditionSpec.Video(box: size, bitsPerSecond: bits)
    }

    private func changed(
        _ original: RenditionSpec.Video, _ encoders: [String]
    ) throws(RenditionError) -> RenditionSpec.Video {
        var video = original
        if let size = try size() {
            video.box = size
            video.turnsWithSource = false
        }
        if let upscale = try upscale() { video.allowsUpscale = upscale }
        if let rate = try frameRate() { video.frameRate = rate }
        if let bits = try bitRate(.videoBitRate, in: Self.videoBitRates) { video.bitsPerSecond = bits }
        video.maximumBitsPerSecond =
            try bitRate(.maximumBitRate, in: video.bitsPerSecond...Self.maximumBitRate)
            ?? RenditionSpec.Video.maximum(for: video.bitsPerSecond)
        try setEncoder(of: &video, encoders)
        return video
    }

    private func setEncoder(of video: inout RenditionSpec.Video, _ encoders: [String]) throws(RenditionError) {
        if let encoder = values[.videoEncoder] { video.encoder = encoder }
        guard encoders.contains(video.encoder) else {
            throw refused(.videoEncoder, video.encoder, "an H.264 encoder of this libavcodec: \(Self.list(encoders))")
        }
        if video.encoder == X264.name {
            if let preset = try word(.preset, of: X264.presets) { video.preset = preset }
            if let tune = try tune() { video.tune = tune == "none" ? nil : tune }
            video.profile = try word(.profile, of: X264.profiles)
        } else {
            (video.preset, video.tune, video.profile) = (values[.preset], values[.tune], values[.profile])
        }
        video.encoderOptions = try encoderOptions()
    }

    private func audio() throws(RenditionError) -> RenditionSpec.Audio? {
        let bits = try bitRate(.audioBitRate, in: Self.audioBitRates)
        let channels = try value(.audioChannels, "a whole number from 1 to 8") { text in
            Decimal.digits(text[...], atMost: 1).flatMap { Self.channelCounts.contains($0) ? $0 : nil }
        }
        return bits == nil && channels == nil ? nil : RenditionSpec.Audio(bitsPerSecond: bits, channelCount: channels)
    }

    // MARK: Values

    private func size() throws(RenditionError) -> PictureSize? {
        try value(.size, "WIDTHxHEIGHT such as 1280x720, both even and from 16 to 8192") { text in
            guard let size = PictureSize(text), Self.sides.contains(size.width), Self.sides.contains(size.height),
                size.width.isMultiple(of: 2), size.height.isMultiple(of: 2)
            else { return nil }
            return size
        }
    }

    private func upscale() throws(RenditionError) -> Bool? {
        try value(.upscale, "yes or no") { text in
            switch text {
            case "yes", "true": true
            case "no", "false": false
            default: nil
            }
        }
    }

    private func frameRate() throws(RenditionError) -> FrameRate? {
        try value(.frameRate, "frames a second from 1 to 240, such as 30, 12.5 or 30000/1001") { text in
            FrameRate(text).flatMap { Self.frameRates.contains($0.framesPerSecond) ? $0 : nil }
        }
    }

    private func tune() throws(RenditionError) -> String? {
        try value(.tune, "none, or one of \(Self.list(X264.tunes)), the last two also behind another and a +") { text in
            let words = text.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
            return text == "none" || X264.areTogether(words) ? text : nil
        }
    }

    private func encoderOptions() throws(RenditionError) -> [VideoEncoder.Configuration.Option] {
        let accepted = #"OPTION=VALUE:OPTION=VALUE…, with \ before a comma or a colon that belongs to a value"#
        return try value(.encoderOptions, accepted) { text in
            var options: [VideoEncoder.Configuration.Option] = []
            for piece in EscapedText.split(text, at: ":") {
                guard let equals = piece.firstIndex(of: "="), equals > piece.startIndex else { return nil }
                let value = EscapedText.unescaped(piece[piece.index(after: equals)...])
                guard !value.isEmpty else { return nil }
                options.append(VideoEncoder.Configuration.Option(name: String(piece[..<equals]), value: value))
            }
            return options
        } ?? []
    }

    private func bitRate(_ key: RenditionKey, in range: ClosedRange<Int>) throws(RenditionError) -> Int? {
        let bounds = "from \(Self.text(range.lowerBound)) to \(Self.text(range.upperBound))"
        return try value(key, "bits a second \(bounds), such as 96k, 2.5M or 2500000") { text in
            Decimal.bitsPerSecond(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    private func word(_ key: RenditionKey, of words: [String]) throws(RenditionError) -> String? {
        try value(key, "one of \(Self.list(words))") { words.contains($0) ? $0 : nil }
    }

    private func value<Value>(
        _ key: RenditionKey, _ accepted: @autoclosure () -> String, parse: (String) -> Value?
    ) throws(RenditionError) -> Value? {
        guard let text = values[key] else { return nil }
        guard let value = parse(text) else { throw refused(key, text, accepted()) }
        return value
    }

    private func refused(_ key: RenditionKey, _ text: String, _ accepted: String) -> RenditionError {
        .invalidValue(text, key: key.rawValue, rendition: name, accepted: accepted)
    }

    private func accept(_ keys: [RenditionKey], _ accepted: String) throws(RenditionError) {
        guard let key = RenditionKey.allCases.first(where: { values[$0] != nil && !keys.contains($0) }) else { return }
        throw .notApplicable(key: key.rawValue, rendition: name, accepted: accepted)
    }

    private static func list(_ words: [String]) -> String { words.joined(separator: ", ") }

    private static func text(_ bitsPerSecond: Int) -> String {
        if bitsPerSecond.isMultiple(of: 1_000_000) { return "\(bitsPerSecond / 1_000_000)M" }
        return bitsPerSecond.isMultiple(of: 1_000) ? "\(bitsPerSecond / 1_000)k" : "\(bitsPerSecond)"
    }
}
