import CLibAV
import Glibc

/// Bytes for libavformat from a pipe or a FIFO, with waiting that can be interrupted, which libavformat's own cannot.
@safe final class DescriptorReader {
    private let descriptor: Int32
    private let closesDescriptor: Bool
    private let interrupt: Interrupt

    private static let bufferBytes = 64 << 10

    init(_ descriptor: Int32, closes: Bool, interrupt: Interrupt) {
        self.descriptor = descriptor
        closesDescriptor = closes
        self.interrupt = interrupt
    }

    deinit { if closesDescriptor { close(descriptor) } }

    /// A reader of a FIFO; nil where the path leads to none. It does not wait for a writer.
    static func fifo(_ path: String, interrupt: Interrupt) -> DescriptorReader? {
        var status = stat()
        guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFIFO else { return nil }
        let descriptor = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        return descriptor < 0 ? nil : DescriptorReader(descriptor, closes: true, interrupt: interrupt)
    }

    /// A context that reads from it and keeps it alive, to be given to ``free(_:)``.
    func makeContext() throws(LibAVError) -> UnsafeMutablePointer<AVIOContext> {
        guard let buffer = unsafe av_malloc(Self.bufferBytes) else { throw .outOfMemory }
        let opaque = unsafe Unmanaged.passRetained(self).toOpaque()
        let bytes = unsafe buffer.assumingMemoryBound(to: UInt8.self)
        let context = unsafe avio_alloc_context(
            bytes, Int32(Self.bufferBytes), 0, opaque,
            { opaque, bytes, count in
                guard let opaque = unsafe opaque, let bytes = unsafe bytes, count > 0 else { return clibav_end }
                let reader = unsafe Unmanaged<DescriptorReader>.fromOpaque(opaque).takeUnretainedValue()
                return unsafe reader.read(UnsafeMutableRawBufferPointer(start: bytes, count: Int(count)))
            }, nil, nil)
        guard let context = unsafe context else {
            unsafe Unmanaged<DescriptorReader>.fromOpaque(opaque).release()
            unsafe av_free(buffer)
            throw .outOfMemory
        }
        return unsafe context
    }

    static func free(_ context: UnsafeMutablePointer<AVIOContext>) {
        if let opaque = unsafe context.pointee.opaque {
            unsafe Unmanaged<DescriptorReader>.fromOpaque(opaque).release()
        }
        unsafe av_freep(&context.pointee.buffer)
        var context: UnsafeMutablePointer<AVIOContext>? = unsafe context
        unsafe avio_context_free(&context)
    }

    /// What there is, at least a byte; AVERROR_EOF, AVERROR_EXIT when interrupted, or a negative errno.
    private func read(_ bytes: UnsafeMutableRawBufferPointer) -> Int32 {
        while interrupt.waitUntilReadable(descriptor) {
            let count = unsafe Glibc.read(descriptor, bytes.baseAddress, bytes.count)
            if count > 0 { return Int32(clamping: count) }
            if count == 0 { return clibav_end }
            guard errno == EAGAIN || errno == EINTR else { return -errno }
        }
        return clibav_exit
    }
}
