import CZlib
package import NIOCore

/// The gzip coding (`RFC 1952`), by zlib.
package enum Gzip {
    /// The longest body that is compressed, in bytes.
    package static let limitBytes = 64 << 20

    private static let level: CInt = 6

    /// The same bytes for the same body always; nil where it is too long, or there is no memory for it.
    package static func compressed(_ body: ByteBuffer) -> ByteBuffer? {
        guard body.readableBytes <= limitBytes else { return nil }
        var stream = unsafe z_stream()
        // zlib remembers where the stream stands: it stays there until its end.
        return unsafe withUnsafeMutablePointer(to: &stream) { stream in
            // Z_OK, Z_MEM_ERROR, Z_STREAM_ERROR, Z_VERSION_ERROR
            guard unsafe czlib_gzip_begin(stream, level) == Z_OK else { return nil }
            defer { unsafe deflateEnd(stream) }
            return unsafe deflated(body, stream)
        }
    }

    private static func deflated(_ body: ByteBuffer, _ stream: UnsafeMutablePointer<z_stream>) -> ByteBuffer? {
        let bound = unsafe Int(clamping: deflateBound(stream, uLong(body.readableBytes)))
        var output = ByteBuffer()
        let count = unsafe output.writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { output in
            unsafe body.withUnsafeReadableBytes { input in
                unsafe stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: Bytef.self)
                unsafe stream.pointee.avail_in = uInt(clamping: input.count)
                unsafe stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: Bytef.self)
                unsafe stream.pointee.avail_out = uInt(clamping: output.count)
                // Z_STREAM_END, Z_OK where the output is too short, Z_STREAM_ERROR, Z_BUF_ERROR
                guard unsafe deflate(stream, Z_FINISH) == Z_STREAM_END else { return 0 }
                return unsafe Int(clamping: stream.pointee.total_out)
            }
        }
        // A copy, so that what is kept is as long as it is.
        return count > 0 ? ByteBuffer(bytes: output.readableBytesView) : nil
    }
}
