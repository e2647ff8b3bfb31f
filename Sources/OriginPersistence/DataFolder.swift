import Glibc
package import NIOCore
package import OriginStore
package import SystemPackage

/// The data directory as the file system has it: held open and locked, so that no two origins share it, nor another
/// folder takes its place.
@safe
package final class DataFolder: Sendable {
    let path: String
    private let descriptor: Int32
    /// Holds the lock for as long as it is open.
    private let lock: Int32

    /// Also what tells a data directory from a folder of something else.
    private static let lockName = "headwater-origin.lock"
    private static let probeName = "headwater-origin.probe"

    /// Makes the folder where it is missing, locks it and checks that files can be made in it.
    /// - Parameter isSynchronised: whether the disk is to have taken the names of folders it makes.
    package init(_ path: String, isSynchronised: Bool = false) throws(DataDirectoryError) {
        self.path = path
        do throws(Errno) {
            try Self.make(path, isSynchronised: isSynchronised)
        } catch {
            throw .notMade(path: path, reason: error.description)
        }
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .notOpened(path: path, reason: Errno.last.description) }
        self.descriptor = descriptor
        do throws(DataDirectoryError) {
            lock = try Self.lock(descriptor, path)
        } catch {
            _ = close(descriptor)
            throw error
        }
        do throws(Errno) {
            try probe(bytes: 0, isSynchronised: false)
        } catch .noSpace, .diskQuotaExceeded {
            // What is removed or expires makes room: writing tries again.
        } catch {
            throw .notWritable(path: path, reason: error.description)
        }
    }

    deinit {
        // A process just forked still shares the lock, which would outlive the file here.
        _ = flock(lock, LOCK_UN)
        _ = close(lock)
        _ = close(descriptor)
    }

    private static func lock(_ folder: Int32, _ path: String) throws(DataDirectoryError) -> Int32 {
        // Not for writing: that would keep the file system from being mounted read-only.
        var lock = unsafe openat(folder, lockName, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        if lock < 0, errno == ENOENT {
            let found: [String]
            do throws(Errno) {
                found = try names(in: folder, ".")
            } catch {
                throw .notOpened(path: path, reason: error.description)
            }
            // A file system of its own has lost+found.
            if let foreign = found.first(where: { !$0.hasPrefix(".") && $0 != "lost+found" && $0 != lockName }) {
                throw .foreign(path: path, found: foreign)
            }
            lock = unsafe openat(folder, lockName, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o640)
        }
        guard lock >= 0 else { throw .notWritable(path: path, reason: Errno.last.description) }
        let file = OpenFile(descriptor: lock)
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            let error = Errno.last
            guard error == .wouldBlock else { throw .notWritable(path: path, reason: error.description) }
            let holder = try? file.read(limitBytes: 32)
            throw .inUse(path: path, process: holder.flatMap { Int(String(buffer: $0).prefix { $0.isNumber }) })
        }
        // Said to whoever finds the folder in use; of no other effect.
        let note = unsafe openat(folder, lockName, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW)
        if note >= 0 { try? OpenFile(descriptor: note).write(ByteBuffer(string: "\(getpid())\n")) }
        return file.keepOpen()
    }

    /// Writes a file of a start and a body, which is there whole or not at all.
    /// - Parameter madeFolder: is called where its folder was missing and is there now, whatever becomes of the file.
    package func write(
        _ start: ByteBuffer, _ body: ObjectBody, as name: ObjectFileName, isSynchronised: Bool,
        madeFolder: () -> Void
    ) throws(Errno) {
        do throws(Errno) {
            let flags = O_WRONLY | O_CREAT | O_TRUNC
            let file: OpenFile
            do throws(Errno) {
                file = try open(name.temporaryPath, flags)
            } catch .noSuchFileOrDirectory {
                guard unsafe mkdirat(descriptor, name.folder, 0o750) == 0 else { throw Errno.last }
                madeFolder()
                file = try open(name.temporaryPath, flags)
            }
            try file.write(start)
            var missingBytes = body.count
            for piece in body.pieces {
                try file.write(piece)
                missingBytes -= piece.readableBytes
            }
            guard missingBytes == 0 else { throw Errno.ioError }
            if isSynchronised { try file.synchronise() }
            // Some file systems tell of an error here alone.
            try file.close()
            guard unsafe renameat(descriptor, name.temporaryPath, descriptor, name.path) == 0 else {
                throw Errno.last
            }
        } catch {
            _ = unsafe unlinkat(descriptor, name.temporaryPath, 0)
            throw error
        }
    }

    /// Of no effect where there is no such file.
    func remove(_ path: String) throws(Errno) {
        guard unsafe unlinkat(descriptor, path, 0) != 0 else { return }
        let error = Errno.last
        if error != .noSuchFileOrDirectory { throw error }
    }

    /// Opens a file for reading; no FIFO or device makes it wait.
    func open(_ name: ObjectFileName) throws(Errno) -> OpenFile {
        try open(name.path, O_RDONLY)
    }

    private func open(_ path: String, _ flags: Int32) throws(Errno) -> OpenFile {
        let file = unsafe openat(descriptor, path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o640)
        guard file >= 0 else { throw Errno.last }
        return OpenFile(descriptor: file)
    }

    /// The names in one of the folders; none where it is missing.
    func names(in folder: String) throws(Errno) -> [String] {
        try Self.names(in: descriptor, folder)
    }

    private static func names(in descriptor: Int32, _ folder: String) throws(Errno) -> [String] {
        let opened = unsafe openat(descriptor, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard opened >= 0 else {
            let error = Errno.last
            if error == .noSuchFileOrDirectory { return [] }
            throw error
        }
        guard let stream = unsafe fdopendir(opened) else {
            let error = Errno.last
            _ = Glibc.close(opened)
            throw error
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                if errno != 0 { throw Errno.last }
                return names
            }
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: $0.pointee)) {
                    unsafe String(cString: $0)
                }
            }
            if name != "." && name != ".." { names.append(name) }
        }
    }

    /// Has the disk take a folder's names; `.` is the data directory itself.
    func synchronise(_ folder: String) throws(Errno) { try Self.synchronise(folder, in: descriptor) }

    private static func synchronise(_ folder: String, in descriptor: Int32) throws(Errno) {
        let opened = unsafe openat(descriptor, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard opened >= 0 else {
            let error = Errno.last
            if error == .noSuchFileOrDirectory { return }
            throw error
        }
        try OpenFile(descriptor: opened).synchronise()
    }

    /// Whether a file of this size can be written.
    func probe(bytes: Int, isSynchronised: Bool) throws(Errno) {
        defer { _ = unsafe unlinkat(descriptor, Self.probeName, 0) }
        let file = try open(Self.probeName, O_WRONLY | O_CREAT | O_TRUNC)
        if bytes > 0 { try file.allocate(bytes: bytes) }
        if isSynchronised { try file.synchronise() }
        try file.close()
    }

    /// Makes a folder with those above it.
    private static func make(_ path: String, isSynchronised: Bool) throws(Errno) {
        var name = Substring(path)
        while name.count > 1, name.last == "/" { name.removeLast() }
        let slash = name.lastIndex(of: "/")
        if unsafe mkdir(path, 0o750) != 0 {
            let error = Errno.last
            if error == .fileExists { return }
            guard error == .noSuchFileOrDirectory, let slash, slash != path.startIndex else { throw error }
            try make(String(path[..<slash]), isSynchronised: isSynchronised)
            guard unsafe mkdir(path, 0o750) == 0 else {
                if errno == EEXIST { return }
                throw Errno.last
            }
        }
        let parent = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        if isSynchronised { try synchronise(parent, in: AT_FDCWD) }
    }
}

extension Errno {
    /// What the last call that failed said, on this thread.
    static var last: Errno { Errno(rawValue: errno) }
}
