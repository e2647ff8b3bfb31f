package import NIOCore

/// How a track in a codec that Headwater decodes and never passes on is to be read, such as HEVC, MP2 or PCM.
///
/// The numbers are those of libavcodec's `AVCodecParameters`; 0 where a track has no such thing.
package struct CodecParameters: Hashable, Sendable {
    package var kind: TrackKind
    /// As libavcodec calls it, such as `hevc`.
    package var name: String
    /// An `AVCodecID`.
    package var identifier: UInt32
    package var extradata: ByteBuffer
    /// An `AVPixelFormat` or `AVSampleFormat`.
    package var format: Int32
    /// In pixels.
    package var width: Int
    package var height: Int
    package var framesPerSecond: Double?
    /// In hertz.
    package var sampleRate: Int
    package var channelCount: Int
    package var bitsPerCodedSample: Int
    /// In bytes.
    package var blockAlign: Int

    package init(
        kind: TrackKind, name: String, identifier: UInt32, extradata: ByteBuffer = ByteBuffer(), format: Int32 = -1,
        width: Int = 0, height: Int = 0, framesPerSecond: Double? = nil, sampleRate: Int = 0, channelCount: Int = 0,
        bitsPerCodedSample: Int = 0, blockAlign: Int = 0
    ) {
        self.kind = kind
        self.name = name
        self.identifier = identifier
        self.extradata = extradata
        self.format = format
        self.width = width
        self.height = height
        self.framesPerSecond = framesPerSecond
        self.sampleRate = sampleRate
        self.channelCount = channelCount
        self.bitsPerCodedSample = bitsPerCodedSample
        self.blockAlign = blockAlign
    }
}
