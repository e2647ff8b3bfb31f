import LibAV

extension RenditionSpec {
    /// Reads renditions as settings write them: `source,720p,480p,fps=25,name=small,size=320x180,video-bitrate=200k`.
    ///
    /// What stands between commas is a preset, `name=NAME`, or a setting of the rendition before it; the texts count as
    /// one, with a comma where they meet. In `encoder-options`, which are divided by colons, a backslash keeps the
    /// comma or colon behind it from dividing.
    ///
    /// - Parameter encoders: the H.264 encoders there are, by libavcodec's names.
    package static func list(
        parsing texts: [String], encoders: [String] = LibAVInventory.h264Encoders
    ) throws(RenditionError) -> [RenditionSpec] {
        var specs: [RenditionSpec] = []
        for draft in try drafts(of: texts.joined(separator: ",")) {
            let spec = try draft.spec(encoders: encoders)
            guard !specs.contains(where: { $0.name == spec.name }) else { throw .duplicateName(spec.name) }
            specs.append(spec)
        }
        guard !specs.isEmpty else { throw .noRendition }
        return specs
    }

    private static func drafts(of text: String) throws(RenditionError) -> [RenditionDraft] {
        var drafts: [RenditionDraft] = []
        for element in EscapedText.split(text, at: ",") {
            let item = EscapedText.trimmed(element)
            if item.isEmpty { continue }
            guard let equals = item.firstIndex(of: "=") else {
                guard let preset = RenditionPreset(rawValue: item) else { throw .unknownPreset(item) }
                drafts.append(RenditionDraft(preset: preset))
                continue
            }
            let word = EscapedText.trimmed(item[..<equals])
            let value = EscapedText.trimmed(item[item.index(after: equals)...])
            if word == RenditionKey.name.rawValue {
                drafts.append(RenditionDraft(name: value))
                continue
            }
            guard !drafts.isEmpty else { throw .settingWithoutRendition(item) }
            try drafts[drafts.count - 1].set(word, value)
        }
        return drafts
    }
}

/// Text in which a backslash keeps the character behind it from dividing.
enum EscapedText {
    /// The pieces, escapes still in them.
    static func split(_ text: String, at separator: Character) -> [String] {
        var pieces = [""]
        var isEscaped = false
        for character in text {
            if character == separator, !isEscaped {
                pieces.append("")
            } else {
                pieces[pieces.count - 1].append(character)
            }
            isEscaped = character == "\\" && !isEscaped
        }
        return pieces
    }

    static func unescaped(_ text: some StringProtocol) -> String {
        var plain = ""
        var isEscaped = false
        for character in text {
            let escapes = character == "\\" && !isEscaped
            if !escapes { plain.append(character) }
            isEscaped = escapes
        }
        return plain
    }

    static func trimmed(_ text: some StringProtocol) -> String {
        var trimmed = text.drop(while: \.isWhitespace)[...]
        while let last = trimmed.last, last.isWhitespace { trimmed = trimmed.dropLast() }
        return String(trimmed)
    }
}
