import Glibc
import NIOCore

/// What the system said, by its number.
struct FileError: Error, Equatable {
    let errno: Int32

    /// The system's short text, such as "No space left on device".
    var reason: String {
        guard let text = unsafe strerror(errno) else { return "errno \(errno)" }
        return unsafe String(cString: text)
    }
}

/// An open folder. Every name is looked up in it by itself, and no symbolic link is followed below the destination's
/// own directory: nothing is written elsewhere.
@safe
final class Folder {
    fileprivate let descriptor: Int32

    /// Opens the folder of these names below a directory; `isMade` makes what is missing. Throws what the system says.
    init(_ names: ArraySlice<String>, below directory: String, isMade: Bool) throws(FileError) {
        if isMade { try Self.make(directory) }
        var current = unsafe Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard current >= 0 else { throw FileError(errno: errno) }
        for name in names {
            if isMade, unsafe mkdirat(current, name, 0o755) != 0, errno != EEXIST {
                let code = errno
                _ = close(current)
                throw FileError(errno: code)
            }
            let next = unsafe openat(current, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            let code = errno
            _ = close(current)
            guard next >= 0 else { throw FileError(errno: code) }
            current = next
        }
        descriptor = current
    }

    deinit { _ = close(descriptor) }

    func rename(_ name: String, to newName: String) throws(FileError) {
        guard unsafe renameat(descriptor, name, descriptor, newName) == 0 else { throw FileError(errno: errno) }
    }

    func remove(_ name: String) {
        // Fails where there is no such file, as wanted.
        _ = unsafe unlinkat(descriptor, name, 0)
    }

    /// Makes the destination's own directory with those above it.
    private static func make(_ directory: String) throws(FileError) {
        if unsafe mkdir(directory, 0o755) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = directory.lastIndex(of: "/"), slash != directory.startIndex else {
            throw FileError(errno: errno)
        }
        try make(String(directory[..<slash]))
        guard unsafe mkdir(directory, 0o755) == 0 || errno == EEXIST else { throw FileError(errno: errno) }
    }
}

/// A file that is being written.
@safe
final class File {
    private let descriptor: Int32

    /// Empty, in place of whatever file had the name.
    init(creating name: String, in folder: Folder) throws(FileError) {
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
        descriptor = unsafe openat(folder.descriptor, name, flags, 0o644)
        guard descriptor >= 0 else { throw FileError(errno: errno) }
    }

    deinit { _ = close(descriptor) }

    func write(_ bytes: ByteBuffer) throws(FileError) {
        var bytes = bytes
        while bytes.readableBytes > 0 {
            let count = unsafe bytes.withUnsafeReadableBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            guard count > 0 else {
                if count < 0, errno == EINTR { continue }
                throw FileError(errno: count < 0 ? errno : EIO)
            }
            bytes.moveReaderIndex(forwardBy: count)
        }
    }
}
