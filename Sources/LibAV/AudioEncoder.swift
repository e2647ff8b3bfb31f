import CLibAV
package import Media
import NIOCore

/// Turns sound into AAC-LC with libavcodec's own encoder.
@safe package struct AudioEncoder: ~Copyable {
    package struct Configuration: Hashable, Sendable {
        /// In hertz, one of AAC's (`ISO 14496-3 §1.6.3.4`).
        package var sampleRate: Int
        /// 1 to 8.
        package var channelCount: Int
        package var bitsPerSecond: Int

        package init(sampleRate: Int = 48_000, channelCount: Int = 2, bitsPerSecond: Int) {
            self.sampleRate = sampleRate
            self.channelCount = channelCount
            self.bitsPerSecond = bitsPerSecond
        }
    }

    package let format: TrackFormat
    /// What each frame but the last must hold: 1,024.
    package let samplesPerFrame: Int
    /// As libavutil calls it, such as `stereo`: what frames must be laid out in, beside `fltp`.
    package let channelLayout: String

    private let configuration: Configuration
    private let context: CodecContext
    private let packet: PacketStorage

    /// Throws ``LibAVError/refused(_:reason:)`` for a configuration the encoder does not take.
    package init(_ configuration: Configuration) throws(LibAVError) {
        guard let codec = unsafe avcodec_find_encoder_by_name("aac") else { throw .missing("the AAC encoder") }
        let context = try unsafe CodecContext(codec)
        let packet = try PacketStorage()
        unsafe context.pointer.pointee.sample_fmt = AV_SAMPLE_FMT_FLTP
        unsafe context.pointer.pointee.sample_rate = Int32(clamping: configuration.sampleRate)
        unsafe av_channel_layout_default(
            &context.pointer.pointee.ch_layout, Int32(clamping: configuration.channelCount))
        unsafe context.pointer.pointee.bit_rate = Int64(configuration.bitsPerSecond)
        unsafe context.pointer.pointee.time_base = AVRational(num: 1, den: Int32(clamping: configuration.sampleRate))
        unsafe context.pointer.pointee.profile = FF_PROFILE_AAC_LOW
        unsafe context.pointer.pointee.thread_count = 1
        unsafe context.pointer.pointee.flags |= AV_CODEC_FLAG_GLOBAL_HEADER
        try context.open()
        guard let specificConfig = try? AudioSpecificConfig(context.extradata)
        else { throw .missing("an AAC encoder that tells its configuration ahead") }
        format = .aac(specificConfig)
        samplesPerFrame = unsafe Int(context.pointer.pointee.frame_size)
        channelLayout = unsafe FrameLayout.describe(context.pointer.pointee.ch_layout)
        self.configuration = configuration
        self.context = context
        self.packet = packet
    }

    /// Sends sound in `fltp`, ``samplesPerFrame`` samples of it; throws ``LibAVError/layoutDiffers`` for any other.
    package mutating func send(_ frame: Frame) throws(LibAVError) {
        guard frame.kind == .audio, frame.layout.format == AV_SAMPLE_FMT_FLTP.rawValue,
            frame.layout.sampleRate == configuration.sampleRate, frame.layout.channelLayout == channelLayout,
            frame.sampleCount <= samplesPerFrame
        else { throw .layoutDiffers }
        try unsafe checked(avcodec_send_frame(context.pointer, frame.pointer), "avcodec_send_frame")
    }

    /// No sound follows: ``receive()`` then gives what is left.
    package mutating func end() throws(LibAVError) {
        try context.endFrames()
    }

    /// The next access unit; nil when another frame is needed, or the end has come.
    ///
    /// The first begins ``samplesPerFrame`` samples before the sound: what a decoder must be fed ahead of it.
    package mutating func receive() throws(LibAVError) -> MediaPacket? {
        guard try context.receive(packet) else { return nil }
        defer { unsafe av_packet_unref(packet.pointer) }
        let time = unsafe Timestamp(
            libavTime: packet.pointer.pointee.pts, timeBase: context.pointer.pointee.time_base
        ).rescaled(to: Timestamp.mpegTimescale)
        return MediaPacket(
            track: .audio, decodeTime: time, presentationTime: time, isKeyframe: true, data: packet.bytes)
    }
}
