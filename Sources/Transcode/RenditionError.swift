/// Why a list of renditions cannot be, told with what would be accepted.
package enum RenditionError: Error, Equatable {
    case noRendition
    /// A word that is no preset.
    case unknownPreset(String)
    /// A setting before any rendition has begun.
    case settingWithoutRendition(String)
    case unknownKey(String, rendition: String)
    case givenTwice(key: String, rendition: String)
    /// A setting that this kind of rendition does not have; `accepted` tells what it does.
    case notApplicable(key: String, rendition: String, accepted: String)
    case invalidValue(String, key: String, rendition: String, accepted: String)
    case missingBitRate(rendition: String)
    case duplicateName(String)
    /// The encoder, once tried, does not take what the specification asks of it.
    case refusedByEncoder(String, rendition: String, reason: String)
    /// The overlay cannot be drawn.
    case refusedOverlay(reason: String)
}

extension RenditionError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noRendition:
            return "at least one rendition: a preset (\(RenditionPreset.names)) or name=NAME,KEY=VALUE,…"
        case .unknownPreset(let word):
            return "there is no preset “\(word)”; the presets are \(RenditionPreset.names)"
        case .settingWithoutRendition(let text):
            return "“\(text)” stands before any rendition; begin with a preset (\(RenditionPreset.names)) or name=NAME"
        case .unknownKey(let key, let rendition):
            return "\(rendition) has no setting “\(key)”; the settings are \(RenditionKey.names)"
        case .givenTwice(let key, let rendition):
            return "\(rendition) has \(key) twice"
        case .notApplicable(let key, let rendition, let accepted):
            return "\(rendition) has no \(key): it \(accepted)"
        case .invalidValue(let value, let key, let rendition, let accepted):
            return "\(rendition) has \(key)=\(value); \(key) is \(accepted)"
        case .missingBitRate(let rendition):
            let heights = RenditionPreset.allCases.compactMap { $0.spec.video?.box.map { "\($0.height)" } }
            let hint = RenditionPreset(rawValue: rendition).map {
                "; for the preset, write \($0.rawValue) without name="
            }
            return "\(rendition) has no video-bitrate, which is needed unless its size has a preset's height "
                + "(\(heights.joined(separator: ", ")))\(hint ?? "")"
        case .duplicateName(let name):
            return "two renditions are called \(name); give one of them another name in full: name=NAME,KEY=VALUE,…"
        case .refusedByEncoder(let encoder, let rendition, let reason):
            return "\(encoder) does not take what \(rendition) asks: \(reason)"
        case .refusedOverlay(let reason):
            return "the clock cannot be drawn: \(reason) (it needs libavfilter's drawtext, and a font that fontconfig "
                + "finds, such as the package fonts-dejavu-core)"
        }
    }
}
