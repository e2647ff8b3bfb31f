import Glibc
import NIOCore
import SystemPackage

/// An open file; closed at the end of its life.
@safe
struct OpenFile: ~Copyable {
    private let descriptor: Int32

    init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { _ = Glibc.close(descriptor) }

    func write(_ bytes: ByteBuffer) throws(Errno) {
        var bytes = bytes
        while bytes.readableBytes > 0 {
            let count = unsafe bytes.withUnsafeReadableBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            guard count > 0 else {
                let error = count < 0 ? Errno.last : .ioError
                if error == .interrupted { continue }
                throw error
            }
            bytes.moveReaderIndex(forwardBy: count)
        }
    }

    /// Reads from where the last read ended, to the limit or the end of the file.
    func read(limitBytes: Int) throws(Errno) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(limitBytes)
        while bytes.readableBytes < limitBytes {
            let wanted = limitBytes - bytes.readableBytes
            var error: Errno?
            let count = unsafe bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) {
                let count = unsafe Glibc.read(descriptor, $0.baseAddress, wanted)
                if count < 0 { error = Errno.last }
                return max(0, count)
            }
            if let error, error != .interrupted { throw error }
            if count == 0, error == nil { break }
        }
        return bytes
    }

    /// Bytes of the file; nil for what is no regular file.
    func length() throws(Errno) -> Int? {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw Errno.last }
        return status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil
    }

    /// Has the disk take what was written.
    func synchronise() throws(Errno) {
        guard fsync(descriptor) == 0 else { throw Errno.last }
    }

    /// Takes room on the disk.
    func allocate(bytes: Int) throws(Errno) {
        let code = posix_fallocate(descriptor, 0, off_t(bytes))
        guard code == 0 else { throw Errno(rawValue: code) }
    }

    consuming func close() throws(Errno) {
        let descriptor = keepOpen()
        // Closed even where it says that it was interrupted.
        guard Glibc.close(descriptor) == 0 || errno == EINTR else { throw Errno.last }
    }

    /// Gives the descriptor away.
    consuming func keepOpen() -> Int32 {
        let descriptor = descriptor
        discard self
        return descriptor
    }
}
