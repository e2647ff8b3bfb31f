import Media
import NIOCore
import RTMP

/// Reads the media messages of one publish: tags to formats and access units.
struct MediaReader {
    enum Result {
        case nothing
        case event(PublisherEvent)
        /// Nothing of this track can be taken, for this reason; said once for each.
        case unusable(String)
    }

    private var toldUnusable: Set<TrackKind> = []

    mutating func video(_ payload: ByteBuffer, timestamp: UInt32) throws(RTMPError) -> Result {
        switch try FLVVideoTag.decode(payload) {
        case .sequenceHeader(let record):
            do throws(MediaError) {
                return .event(.format(.h264(try AVCDecoderConfiguration(record))))
            } catch {
                return unusable(.video, "the H.264 sequence header cannot be read: \(error)")
            }
        case .nalUnits(let frameType, let compositionTime, let data):
            return .event(
                .media(
                    PublisherEvent.RawMedia(
                        track: .video, timestamp: timestamp, compositionTime: compositionTime,
                        isKeyframe: frameType.isKey, data: data)))
        case .unsupported(let codec):
            return unusable(.video, "\(codec.name) is not supported; set the encoder to H.264")
        case .endOfSequence, .command, .empty:
            return .nothing
        }
    }

    mutating func audio(_ payload: ByteBuffer, timestamp: UInt32) throws(RTMPError) -> Result {
        switch try FLVAudioTag.decode(payload) {
        case .sequenceHeader(let record):
            do throws(MediaError) {
                return .event(.format(.aac(try AudioSpecificConfig(record))))
            } catch {
                return unusable(.audio, "the AAC sequence header cannot be read: \(error)")
            }
        case .accessUnit(let data):
            return .event(
                .media(
                    PublisherEvent.RawMedia(
                        track: .audio, timestamp: timestamp, compositionTime: 0, isKeyframe: true, data: data)))
        case .unsupported(let codec):
            return unusable(.audio, "\(codec.name) is not supported; set the encoder to AAC")
        case .silence:
            return .nothing
        }
    }

    private mutating func unusable(_ track: TrackKind, _ reason: String) -> Result {
        toldUnusable.insert(track).inserted ? .unusable(reason) : .nothing
    }

    /// What `onMetaData` says that is of use (`FLV 10.1 §E.5`); every field is advisory and may be missing.
    static func declaration(_ metadata: AMF0Object) -> PublisherEvent.Declaration {
        func number(_ key: String, upTo limit: Double) -> Double? {
            guard let value = metadata[key]?.number, value > 0, value <= limit else { return nil }
            return value
        }
        let rates = ["videodatarate", "audiodatarate"].compactMap { number($0, upTo: 1e6) }
        return PublisherEvent.Declaration(
            hasVideo: metadata["videocodecid"] != nil || metadata["width"] != nil,
            hasAudio: metadata["audiocodecid"] != nil,
            bitsPerSecond: rates.isEmpty ? nil : Int(rates.reduce(0, +) * 1_000),
            framesPerSecond: number("framerate", upTo: 1_000))
    }
}
