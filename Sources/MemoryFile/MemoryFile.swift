import CMemoryFile
import FoundationEssentials
import Glibc
package import NIOCore
import Synchronization

/// Bytes in memory that the kernel sends to a socket without copying them: one file that has no name (`memfd_create(2)`).
///
/// Every extent gets an offset that none had before and none will have, so what a socket still has to send is never
/// written over. Its pages go back to the system with its last holder; those in a socket's queue live until they are sent.
package final class MemoryFile: Sendable {
    fileprivate let descriptor: CInt
    private let next = Atomic<Int>(0)

    /// What the system gives and takes back at a time.
    fileprivate static let pageBytes = max(1 << 12, sysconf(CInt(_SC_PAGESIZE)))

    /// Nil where the system has no such files, or makes them of pages so large that several extents share one: what is
    /// let go of within such a page is set to zero, also in a socket's queue.
    package init?() {
        guard !Self.hasLargePages else { return nil }
        descriptor = unsafe "headwater".withCString { unsafe cmemoryfile_create($0) }
        guard descriptor >= 0 else { return nil }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Whether the system may make shared memory of large pages that nobody asked for (Linux, `transhuge.rst`). A size's
    /// own setting may be to follow the first.
    private static var hasLargePages: Bool {
        let folder = "/sys/kernel/mm/transparent_hugepage"
        let sizes = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return (["."] + sizes.filter { $0.hasPrefix("hugepages-") }).contains { size in
            let setting = (try? String(contentsOfFile: "\(folder)/\(size)/shmem_enabled", encoding: .utf8)) ?? ""
            return ["[always]", "[within_size]", "[force]"].contains(where: setting.contains)
        }
    }

    /// Keeps a copy of these pieces, one after the other; nil where there is no memory left, or the process's limit on
    /// the size of files is reached.
    package func store(_ pieces: [ByteBuffer]) -> FileExtent? {
        let extent = extent(count: pieces.reduce(0) { $0 + $1.readableBytes })
        var end = extent.offset
        for piece in pieces {
            guard write(piece, at: end) else { return nil }
            end += piece.readableBytes
        }
        return extent
    }

    /// Keeps so many bytes, which come piece by piece; nil likewise, and where fewer come.
    /// - Parameter next: gives at most so many bytes; none at their end.
    package func store<Failure: Error>(
        count: Int, _ next: (_ limitBytes: Int) throws(Failure) -> ByteBuffer
    ) throws(Failure) -> FileExtent? {
        let extent = extent(count: count)
        var stored = 0
        while stored < count {
            let piece = try next(count - stored)
            guard (1...count - stored).contains(piece.readableBytes), write(piece, at: extent.offset + stored) else {
                return nil
            }
            stored += piece.readableBytes
        }
        return extent
    }

    private func extent(count: Int) -> FileExtent {
        let offset = next.wrappingAdd(Self.wholePages(count), ordering: .relaxed).oldValue
        return FileExtent(file: self, offset: offset, count: count)
    }

    fileprivate static func wholePages(_ count: Int) -> Int {
        (count + pageBytes - 1) / pageBytes * pageBytes
    }

    private func write(_ bytes: ByteBuffer, at offset: Int) -> Bool {
        var rest = bytes
        while rest.readableBytes > 0 {
            let position = offset + bytes.readableBytes - rest.readableBytes
            let written = unsafe rest.withUnsafeReadableBytes { bytes in
                unsafe pwrite(descriptor, bytes.baseAddress, bytes.count, position)
            }
            // ENOSPC, ENOMEM or EFBIG; EINTR does not come, as no signal has a handler that interrupts.
            guard written > 0 else { return false }
            rest.moveReaderIndex(forwardBy: written)
        }
        return true
    }
}

/// A run of bytes in a ``MemoryFile``, written once.
package final class FileExtent: Sendable {
    private let file: MemoryFile
    fileprivate let offset: Int
    /// In bytes.
    package let count: Int

    /// What it takes of the system's memory, in bytes: whole pages.
    package var heldBytes: Int { MemoryFile.wholePages(count) }

    fileprivate init(file: MemoryFile, offset: Int, count: Int) {
        self.file = file
        self.offset = offset
        self.count = count
    }

    deinit {
        // Whole pages alone are let go of: what is cut off a page is set to zero, also in a socket's queue. Where it fails,
        // they stay until the process ends.
        if count > 0 { cmemoryfile_discard(file.descriptor, offset, heldBytes) }
    }

    /// A copy of some of the bytes; nil for what is not within the extent.
    package func read(_ range: Range<Int>) -> ByteBuffer? {
        guard range.lowerBound >= 0, range.upperBound <= count else { return nil }
        var bytes = ByteBufferAllocator().buffer(capacity: range.count)
        while bytes.readableBytes < range.count {
            let position = offset + range.lowerBound + bytes.readableBytes
            let missing = range.count - bytes.readableBytes
            let read = unsafe bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: missing) { space in
                unsafe max(0, pread(file.descriptor, space.baseAddress, missing, position))
            }
            guard read > 0 else { return nil }
        }
        return bytes
    }

    /// Sends some of the bytes to a socket that does not block.
    /// - Returns: how many it took: fewer than all when it is full, and none when it is broken.
    package func send(_ range: Range<Int>, to socket: CInt) -> Int {
        guard range.lowerBound >= 0, range.upperBound <= count else { return 0 }
        var position = off_t(offset + range.lowerBound)
        return unsafe max(0, sendfile(socket, file.descriptor, &position, range.count))
    }
}
