import CLibAV
import NIOCore

/// An `AVPacket` with the reference it holds.
@safe struct PacketStorage: ~Copyable {
    let pointer: UnsafeMutablePointer<AVPacket>

    init() throws(LibAVError) {
        guard let pointer = unsafe av_packet_alloc() else { throw .outOfMemory }
        unsafe self.pointer = unsafe pointer
    }

    deinit {
        var pointer: UnsafeMutablePointer<AVPacket>? = unsafe self.pointer
        unsafe av_packet_free(&pointer)
    }

    /// Puts a copy of the bytes into the empty packet, with the padding decoders read into.
    func fill(_ bytes: ByteBuffer) throws(LibAVError) {
        guard let count = Int32(exactly: bytes.readableBytes) else { throw .malformedAccessUnit }
        guard unsafe av_new_packet(pointer, count) >= 0, let data = unsafe pointer.pointee.data
        else { throw .outOfMemory }
        unsafe bytes.withUnsafeReadableBytes { source in
            if let start = source.baseAddress {
                unsafe UnsafeMutableRawPointer(data).copyMemory(from: start, byteCount: source.count)
            }
        }
    }

    /// A copy of the packet's bytes.
    var bytes: ByteBuffer {
        unsafe ByteBuffer(
            bytes: UnsafeRawBufferPointer(start: pointer.pointee.data, count: Int(max(0, pointer.pointee.size))))
    }
}
