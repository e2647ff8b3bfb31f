import CLibAV
package import Media
package import NIOCore

/// An MPEG-TS program (`ISO 13818-1`) of at most one video and one audio track, by libavformat.
///
/// Every access unit leaves the muxer with the call that brought it. PAT and PMT stand right before each video
/// keyframe; ``repeatTables()`` asks for them where there is no video. Continuity counters run on for the muxer's life.
@safe package struct MPEGTSMuxer: ~Copyable {
    private let context: UnsafeMutablePointer<AVFormatContext>
    private let packet: UnsafeMutablePointer<AVPacket>
    private let output: Output
    /// The position of each track among the muxer's streams.
    private let streams: [TrackKind: Int32]
    private let video: AVCDecoderConfiguration?
    private var mayHoldServiceTable = true

    /// Collects what the muxer writes until it is taken.
    private final class Output {
        var bytes = ByteBuffer()
    }

    /// Sets a muxer up for tracks of these formats.
    package init(_ formats: [TrackFormat]) throws(LibAVError) {
        LogCollector.isInstalled
        var allocated: UnsafeMutablePointer<AVFormatContext>?
        try unsafe checked(
            avformat_alloc_output_context2(&allocated, nil, "mpegts", nil), "avformat_alloc_output_context2")
        guard let context = unsafe allocated else { throw .missing("the MPEG-TS muxer") }
        var newPacket = unsafe av_packet_alloc()
        do throws(LibAVError) {
            guard let packet = unsafe newPacket else { throw .outOfMemory }
            let output = Output()
            try unsafe Self.attach(output, to: context)
            var streams: [TrackKind: Int32] = [:]
            for format in formats { streams[format.kind] = try unsafe Self.addStream(format, to: context) }
            // Tables come with keyframes alone: with periods, here a century, they would stand in the middle of segments.
            for option in ["sdt_period", "pat_period"] {
                try unsafe checked(av_opt_set(context.pointee.priv_data, option, "3153600000", 0), option)
            }
            try unsafe checked(avformat_write_header(context, nil), "avformat_write_header")
            unsafe self.context = context
            unsafe self.packet = packet
            self.output = output
            self.streams = streams
            video = formats.lazy.compactMap { if case .h264(let video) = $0 { video } else { nil } }.first
        } catch {
            unsafe av_packet_free(&newPacket)
            unsafe Self.free(context)
            throw error
        }
    }

    deinit {
        // The trailer frees what avformat_write_header allocated; what it writes is not taken any more.
        _ = unsafe av_write_trailer(context)
        var packet: UnsafeMutablePointer<AVPacket>? = unsafe self.packet
        unsafe av_packet_free(&packet)
        unsafe Self.free(context)
    }

    /// Muxes one access unit and gives back its bytes, whole 188-byte packets.
    package mutating func write(_ media: MediaPacket) throws(LibAVError) -> ByteBuffer {
        guard let stream = streams[media.track] else { return ByteBuffer() }
        if media.track == .video, video?.describes(media.data) == false { throw .malformedAccessUnit }
        unsafe packet.pointee.stream_index = stream
        unsafe packet.pointee.dts = media.decodeTime.rescaled(to: Timestamp.mpegTimescale).value
        unsafe packet.pointee.pts = media.presentationTime.rescaled(to: Timestamp.mpegTimescale).value
        unsafe packet.pointee.flags = media.isKeyframe ? AV_PKT_FLAG_KEY : 0
        let code = unsafe media.data.withUnsafeReadableBytes { bytes in
            // libavformat copies data that has no reference count and does not write to it.
            unsafe packet.pointee.data = unsafe UnsafeMutablePointer(
                mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
            unsafe packet.pointee.size = Int32(clamping: bytes.count)
            defer {
                unsafe packet.pointee.data = nil
                unsafe packet.pointee.size = 0
            }
            return unsafe av_write_frame(context, packet)
        }
        try checked(code, "av_write_frame")
        // Audio access units are otherwise held back for the next.
        if media.track == .audio { try unsafe checked(av_write_frame(context, nil), "av_write_frame") }
        unsafe avio_flush(context.pointee.pb)
        return takeBytes()
    }

    /// Puts PAT and PMT before the next access unit.
    package mutating func repeatTables() throws(LibAVError) {
        try unsafe checked(
            av_opt_set(context.pointee.priv_data, "mpegts_flags", "+resend_headers", 0), "mpegts_flags")
        mayHoldServiceTable = true
    }

    private mutating func takeBytes() -> ByteBuffer {
        var bytes = output.bytes
        output.bytes = ByteBuffer()
        guard mayHoldServiceTable, bytes.readableBytes > 0 else { return bytes }
        mayHoldServiceTable = false
        return Self.withoutServiceTable(&bytes)
    }

    /// The service description table (PID 0x11) is for broadcasts and would stand before the PAT, where HLS wants the
    /// PAT first (`RFC 8216 §3.2`).
    private static func withoutServiceTable(_ bytes: inout ByteBuffer) -> ByteBuffer {
        var kept = ByteBufferAllocator().buffer(capacity: bytes.readableBytes)
        while let packet = bytes.readSlice(length: 188) {
            let word = packet.getInteger(at: packet.readerIndex, as: UInt32.self) ?? 0
            if (word >> 8) & 0x1FFF != 0x11 { kept.writeImmutableBuffer(packet) }
        }
        return kept
    }

    // MARK: Setting up

    private static func attach(
        _ output: Output, to context: UnsafeMutablePointer<AVFormatContext>
    ) throws(LibAVError) {
        let capacity = 188 * 348
        guard let buffer = unsafe av_malloc(capacity) else { throw .outOfMemory }
        // The context holds one reference to the output, given back in `free`.
        let opaque = unsafe Unmanaged.passRetained(output).toOpaque()
        let io = unsafe avio_alloc_context(
            buffer.assumingMemoryBound(to: UInt8.self), Int32(capacity), 1, opaque, nil,
            { opaque, bytes, count in
                guard let opaque = unsafe opaque, let bytes = unsafe bytes, count > 0 else { return count }
                let output = unsafe Unmanaged<Output>.fromOpaque(opaque).takeUnretainedValue()
                unsafe output.bytes.writeBytes(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
                return count
            }, nil)
        guard let io = unsafe io else {
            unsafe Unmanaged<Output>.fromOpaque(opaque).release()
            unsafe av_free(buffer)
            throw .outOfMemory
        }
        unsafe context.pointee.pb = unsafe io
        unsafe context.pointee.flags |= AVFMT_FLAG_CUSTOM_IO
    }

    private static func free(_ context: UnsafeMutablePointer<AVFormatContext>) {
        if let io = unsafe context.pointee.pb {
            if let opaque = unsafe io.pointee.opaque { unsafe Unmanaged<Output>.fromOpaque(opaque).release() }
            unsafe av_freep(&io.pointee.buffer)
            unsafe avio_context_free(&context.pointee.pb)
        }
        unsafe avformat_free_context(context)
    }

    private static func addStream(
        _ format: TrackFormat, to context: UnsafeMutablePointer<AVFormatContext>
    ) throws(LibAVError) -> Int32 {
        guard let stream = unsafe avformat_new_stream(context, nil), let parameters = unsafe stream.pointee.codecpar
        else { throw .outOfMemory }
        unsafe stream.pointee.time_base = AVRational(num: 1, den: Timestamp.mpegTimescale)
        switch format {
        case .h264(let configuration):
            unsafe parameters.pointee.codec_type = AVMEDIA_TYPE_VIDEO
            unsafe parameters.pointee.codec_id = AV_CODEC_ID_H264
            unsafe parameters.pointee.width = Int32(clamping: configuration.width)
            unsafe parameters.pointee.height = Int32(clamping: configuration.height)
            try unsafe setExtradata(configuration.bytes, of: parameters)
        case .aac(let configuration):
            unsafe parameters.pointee.codec_type = AVMEDIA_TYPE_AUDIO
            unsafe parameters.pointee.codec_id = AV_CODEC_ID_AAC
            unsafe parameters.pointee.sample_rate = Int32(clamping: configuration.sampleRate)
            unsafe parameters.pointee.profile = Int32(clamping: configuration.objectType - 1)
            try unsafe setExtradata(configuration.bytes, of: parameters)
        case .other(let parameters):
            throw .missing("a way to put \(parameters.name) into MPEG-TS for HLS")
        }
        return unsafe stream.pointee.index
    }

    private static func setExtradata(
        _ bytes: ByteBuffer, of parameters: UnsafeMutablePointer<AVCodecParameters>
    ) throws(LibAVError) {
        let count = bytes.readableBytes
        guard let data = unsafe av_mallocz(count + Int(AV_INPUT_BUFFER_PADDING_SIZE)) else { throw .outOfMemory }
        unsafe bytes.withUnsafeReadableBytes {
            unsafe data.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(data), byteCount: $0.count)
        }
        unsafe parameters.pointee.extradata = unsafe data.assumingMemoryBound(to: UInt8.self)
        unsafe parameters.pointee.extradata_size = Int32(clamping: count)
    }
}
