import Glibc
import Synchronization

/// The process's standard error stream.
enum StandardError {
    private static let lock = Mutex(())

    /// Writes all of the text, unmixed with other threads'. What cannot be written is given up: there is nowhere to say so.
    @Sendable static func write(_ text: String) {
        var text = text
        lock.withLock { _ in
            text.withUTF8 { bytes in
                var start = 0
                while start < bytes.count {
                    let rest = unsafe UnsafeRawBufferPointer(bytes)[start...]
                    let written = unsafe Glibc.write(
                        STDERR_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                    if written > 0 {
                        start += written
                    } else if errno != EINTR {
                        return
                    }
                }
            }
        }
    }
}
