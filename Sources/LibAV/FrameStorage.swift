import CLibAV

/// An `AVFrame` with the references it holds.
@safe struct FrameStorage: ~Copyable {
    let pointer: UnsafeMutablePointer<AVFrame>

    init() throws(LibAVError) {
        guard let pointer = unsafe av_frame_alloc() else { throw .outOfMemory }
        unsafe self.pointer = unsafe pointer
    }

    deinit {
        var pointer: UnsafeMutablePointer<AVFrame>? = unsafe self.pointer
        unsafe av_frame_free(&pointer)
    }
}
