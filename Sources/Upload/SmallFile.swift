import Glibc

/// The bytes of a regular file of bounded size.
@safe
struct SmallFile {
    private(set) var bytes: [UInt8] = []
    /// Whether every user of the host may read it.
    let isReadableByOthers: Bool

    /// Throws `unreadableFile` with the system's number: EFBIG for a file that is larger, EINVAL for what is no file.
    init(_ path: String, limitBytes: Int) throws(UploadError) {
        // What is no file, such as a pipe, must not hold up who opens it.
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .unreadableFile(errno: errno) }
        defer { _ = close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .unreadableFile(errno: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadableFile(errno: EINVAL) }
        isReadableByOthers = status.st_mode & S_IROTH != 0
        var space = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = unsafe space.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .unreadableFile(errno: errno) }
            if count == 0 { return }
            bytes += space.prefix(count)
            guard bytes.count <= limitBytes else { throw .unreadableFile(errno: EFBIG) }
        }
    }
}
