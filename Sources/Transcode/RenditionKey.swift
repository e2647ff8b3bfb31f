/// The settings of a rendition, as they are written.
enum RenditionKey: String, CaseIterable {
    case name
    case size
    case frameRate = "fps"
    case videoBitRate = "video-bitrate"
    case maximumBitRate = "max-bitrate"
    case videoEncoder = "video-encoder"
    case preset
    case tune
    case profile
    case encoderOptions = "encoder-options"
    case audioBitRate = "audio-bitrate"
    case audioChannels = "audio-channels"
    case upscale

    static let ofAudio: [RenditionKey] = [.audioBitRate, .audioChannels]

    static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
