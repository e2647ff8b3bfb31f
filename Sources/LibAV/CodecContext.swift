import CLibAV
import NIOCore

/// An `AVCodecContext`: a decoder or an encoder and its settings.
@safe struct CodecContext: ~Copyable {
    let pointer: UnsafeMutablePointer<AVCodecContext>

    init(_ codec: UnsafePointer<AVCodec>) throws(LibAVError) {
        LogCollector.isInstalled
        guard let pointer = unsafe avcodec_alloc_context3(codec) else { throw .outOfMemory }
        unsafe self.pointer = unsafe pointer
    }

    deinit {
        var pointer: UnsafeMutablePointer<AVCodecContext>? = unsafe self.pointer
        unsafe avcodec_free_context(&pointer)
    }

    /// What a decoder must know ahead, or an encoder tells.
    var extradata: ByteBuffer {
        unsafe ByteBuffer(
            bytes: UnsafeRawBufferPointer(
                start: pointer.pointee.extradata, count: Int(max(0, pointer.pointee.extradata_size))))
    }

    /// Sets the bytes a decoder must know ahead; not to be called twice.
    func setExtradata(_ bytes: ByteBuffer) throws(LibAVError) {
        let count = bytes.readableBytes
        guard count > 0 else { return }
        guard let data = unsafe av_mallocz(count + Int(AV_INPUT_BUFFER_PADDING_SIZE)) else { throw .outOfMemory }
        unsafe bytes.withUnsafeReadableBytes {
            if let start = $0.baseAddress { unsafe data.copyMemory(from: start, byteCount: $0.count) }
        }
        unsafe pointer.pointee.extradata = unsafe data.assumingMemoryBound(to: UInt8.self)
        unsafe pointer.pointee.extradata_size = Int32(clamping: count)
    }

    func open() throws(LibAVError) {
        try LogCollector.checked("avcodec_open2", level: AV_LOG_INFO) { unsafe avcodec_open2(pointer, nil, nil) }
    }

    /// Tells an encoder that no frame follows; again does no harm (AVERROR_EOF).
    func endFrames() throws(LibAVError) {
        let code = unsafe avcodec_send_frame(pointer, nil)
        if code != clibav_end { try checked(code, "avcodec_send_frame") }
    }

    /// Has an encoder fill a packet, which the caller unreferences; false when it wants another frame (AVERROR(EAGAIN)) or
    /// has ended (AVERROR_EOF).
    func receive(_ packet: borrowing PacketStorage) throws(LibAVError) -> Bool {
        let code = unsafe avcodec_receive_packet(pointer, packet.pointer)
        if code == clibav_again || code == clibav_end { return false }
        try checked(code, "avcodec_receive_packet")
        return true
    }
}
