import Media
import NIOCore

/// What a publisher's connection tells its broadcast, in the order it came.
enum PublisherEvent: Sendable {
    /// What the encoder declares of its stream; advisory.
    case declared(Declaration)
    case format(TrackFormat)
    case media(RawMedia)

    /// One access unit as it came off the wire.
    struct RawMedia: Sendable {
        var track: TrackKind
        /// Milliseconds modulo 2³².
        var timestamp: UInt32
        /// Milliseconds.
        var compositionTime: Int32
        var isKeyframe: Bool
        var data: ByteBuffer
    }

    /// Of `onMetaData`; nil where it says nothing.
    struct Declaration: Sendable, Equatable {
        var hasVideo: Bool?
        var hasAudio: Bool?
        /// Of all tracks together.
        var bitsPerSecond: Int?
        var framesPerSecond: Double?
    }
}
