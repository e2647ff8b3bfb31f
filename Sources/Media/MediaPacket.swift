package import NIOCore

/// One access unit of one track, on the broadcast's clean timeline.
package struct MediaPacket: Sendable, Equatable {
    package var track: TrackKind
    /// When it is decoded; never decreases within a track.
    package var decodeTime: Timestamp
    /// When it is shown; differs from `decodeTime` where there are B-frames.
    package var presentationTime: Timestamp
    /// Whether decoding can start here. True for every audio packet.
    package var isKeyframe: Bool
    /// H.264 as length-prefixed NAL units (`ISO 14496-15 §5.3.4`), AAC as a raw access unit without ADTS.
    package var data: ByteBuffer

    package init(
        track: TrackKind, decodeTime: Timestamp, presentationTime: Timestamp, isKeyframe: Bool, data: ByteBuffer
    ) {
        self.track = track
        self.decodeTime = decodeTime
        self.presentationTime = presentationTime
        self.isKeyframe = isKeyframe
        self.data = data
    }
}
