import CLibAV
package import Media
import NIOCore

/// Turns packets of one track into frames, on the caller's thread.
///
/// It holds no picture back that could be shown already: threads that decode several at once would.
@safe package struct Decoder: ~Copyable {
    /// Larger pictures are refused; in pixels: the largest of level 5.2 (`ISO 14496-10 §A.3.1`). A publisher can make dozens of them wait.
    package static let maximumPixels: Int64 = 4_096 * 2_304

    private let context: CodecContext
    private let packet: PacketStorage
    private let frame: FrameStorage

    /// Throws ``LibAVError/missing(_:)`` where libavcodec has no decoder for the format.
    package init(_ format: TrackFormat) throws(LibAVError) {
        let identifier: AVCodecID =
            switch format {
            case .h264: AV_CODEC_ID_H264
            case .aac: AV_CODEC_ID_AAC
            case .other(let parameters): AVCodecID(rawValue: parameters.identifier)
            }
        guard let codec = unsafe avcodec_find_decoder(identifier) else {
            throw .missing("a decoder for \(format.codecs)")
        }
        let context = try unsafe CodecContext(codec)
        let packet = try PacketStorage()
        let frame = try FrameStorage()
        unsafe context.pointer.pointee.pkt_timebase = Self.timeBase
        unsafe context.pointer.pointee.thread_count = 1
        unsafe context.pointer.pointee.max_pixels = Self.maximumPixels
        switch format {
        case .h264(let configuration): try context.setExtradata(configuration.bytes)
        case .aac(let configuration): try context.setExtradata(configuration.bytes)
        case .other(let parameters): try Self.apply(parameters, to: context)
        }
        try context.open()
        self.context = context
        self.packet = packet
        self.frame = frame
    }

    private static var timeBase: AVRational { AVRational(num: 1, den: Timestamp.mpegTimescale) }

    private static func apply(
        _ parameters: CodecParameters, to context: borrowing CodecContext
    ) throws(LibAVError) {
        try context.setExtradata(parameters.extradata)
        switch parameters.kind {
        case .video:
            unsafe context.pointer.pointee.pix_fmt = AVPixelFormat(rawValue: parameters.format)
            unsafe context.pointer.pointee.width = Int32(clamping: parameters.width)
            unsafe context.pointer.pointee.height = Int32(clamping: parameters.height)
        case .audio:
            unsafe context.pointer.pointee.sample_fmt = AVSampleFormat(rawValue: parameters.format)
            unsafe context.pointer.pointee.sample_rate = Int32(clamping: parameters.sampleRate)
            let channelCount = Int32(clamping: parameters.channelCount)
            if channelCount > 0 {
                unsafe av_channel_layout_default(&context.pointer.pointee.ch_layout, channelCount)
            }
        }
        unsafe context.pointer.pointee.bits_per_coded_sample = Int32(clamping: parameters.bitsPerCodedSample)
        unsafe context.pointer.pointee.block_align = Int32(clamping: parameters.blockAlign)
    }

    /// Sends a packet, once ``receive()`` has given nil.
    ///
    /// Throws ``LibAVError/invalidData(code:)`` for one the decoder makes nothing of.
    package mutating func send(_ media: MediaPacket) throws(LibAVError) {
        // Without data a packet would mean the end.
        guard media.data.readableBytes > 0 else { throw .invalidData(code: clibav_invalid_data) }
        try packet.fill(media.data)
        defer { unsafe av_packet_unref(packet.pointer) }
        unsafe packet.pointer.pointee.pts = media.presentationTime.rescaled(to: Timestamp.mpegTimescale).value
        unsafe packet.pointer.pointee.dts = media.decodeTime.rescaled(to: Timestamp.mpegTimescale).value
        unsafe packet.pointer.pointee.flags = media.isKeyframe ? AV_PKT_FLAG_KEY : 0
        try Self.checkedDecoding(unsafe avcodec_send_packet(context.pointer, packet.pointer), "avcodec_send_packet")
    }

    /// No packet follows: ``receive()`` then gives what is left.
    package mutating func end() throws(LibAVError) {
        let code = unsafe avcodec_send_packet(context.pointer, nil)
        if code != clibav_end { try checked(code, "avcodec_send_packet") }
    }

    /// The next frame in order of presentation; nil when another packet is needed, or the end has come.
    ///
    /// Throws ``LibAVError/invalidData(code:)`` for what the decoder makes nothing of.
    package mutating func receive() throws(LibAVError) -> Frame? {
        let code = unsafe avcodec_receive_frame(context.pointer, frame.pointer)
        if code == clibav_again || code == clibav_end { return nil }
        try Self.checkedDecoding(code, "avcodec_receive_frame")
        unsafe frame.pointer.pointee.pts = frame.pointer.pointee.best_effort_timestamp
        return try Frame(taking: frame, timeBase: Self.timeBase)
    }

    /// Whatever goes wrong inside a decoder is its packet's fault, but for these: ENOMEM; EAGAIN and EOF from sending
    /// too early or too late.
    private static func checkedDecoding(_ code: Int32, _ call: String) throws(LibAVError) {
        switch code {
        case 0...: return
        case clibav_no_memory: throw .outOfMemory
        case clibav_again, clibav_end: throw .failed(call, code: code)
        default: throw .invalidData(code: code)
        }
    }
}
