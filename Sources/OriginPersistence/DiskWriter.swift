import CoreMetrics
import OriginStore
import Glibc
import Logging
import NIOCore
import SystemPackage

/// The life of the data directory's thread: does one step after the other, and says when the disk fails and when it
/// works again.
struct DiskWriter: ~Copyable {
    private let directory: DataDirectory
    /// Folders whose names the disk has yet to take.
    private var touched: Set<String> = []
    private var droppedObjects = 0

    init(directory: DataDirectory) {
        self.directory = directory
        // An earlier process may have made folders without having the disk take their names.
        touch(".")
    }

    private var isSynchronised: Bool { directory.configuration.sync == .always }

    consuming func run() {
        Self.blockSignals()
        while true {
            switch directory.nextStep() {
            case .write(let object):
                guard let start = try? ObjectRecord.encode(object) else {
                    directory.metrics.dropped(.unfit)
                    directory.change { $0.refused() }
                    continue
                }
                let name = ObjectFileName(object.key)
                let isWritten = attempt { (writer) throws(Errno) in
                    try writer.write(start, object.body, as: name)
                }
                guard isWritten else { continue }
                directory.metrics.writtenObjects.increment()
                directory.metrics.writtenBytes.increment(by: start.readableBytes + object.body.count)
            case .remove(let key):
                let name = ObjectFileName(key)
                attempt { (writer) throws(Errno) in
                    try writer.directory.folder.remove(name.path)
                    writer.touch(name.folder)
                }
            case .synchronise:
                attempt { (writer) throws(Errno) in
                    for folder in writer.touched { try writer.directory.folder.synchronise(folder) }
                    writer.touched = []
                }
            case .probe(let bytes):
                attempt { (writer) throws(Errno) in
                    try writer.directory.folder.probe(bytes: bytes, isSynchronised: writer.isSynchronised)
                }
            case .giveUp:
                let count = directory.change { $0.giveUp() }
                directory.metrics.dropped(.stopped, by: count)
                directory.logger.warning(
                    "stopped before everything was written to the data directory", metadata: ["objects": "\(count)"])
            case .wait:
                continue
            case .end:
                return
            }
        }
    }

    private mutating func write(_ start: ByteBuffer, _ body: ObjectBody, as name: ObjectFileName) throws(Errno) {
        try directory.folder.write(start, body, as: name, isSynchronised: isSynchronised) { touch(".") }
        touch(name.folder)
    }

    private mutating func touch(_ folder: String) {
        if isSynchronised { touched.insert(folder) }
    }

    @discardableResult
    private mutating func attempt(_ step: (inout Self) throws(Errno) -> Void) -> Bool {
        do throws(Errno) {
            try step(&self)
        } catch {
            failed(error)
            return false
        }
        let hasRecovered = directory.change { $0.succeeded(now: .now()) }
        if hasRecovered {
            directory.metrics.degraded.record(0)
            directory.logger.notice("data directory is written again", metadata: place)
        }
        return true
    }

    private func failed(_ error: Errno) {
        directory.metrics.failures.increment()
        let failure = directory.change { $0.failed(now: .now()) }
        directory.metrics.dropped(.degraded, by: failure.dropped)
        guard failure.isFirst else { return }
        directory.metrics.degraded.record(1)
        var metadata = place
        metadata["error"] = "\(error)"
        metadata["advice"] = "\(Self.advice(error))"
        directory.logger.error("data directory cannot be written; serving from memory alone", metadata: metadata)
    }

    private var place: Logger.Metadata { ["data.directory": "\(directory.folder.path)"] }

    private static func advice(_ error: Errno) -> String {
        switch error {
        case .noSpace, .diskQuotaExceeded: "free space on its file system, or keep less with --memory-limit"
        case .fileTooLarge: "raise this process's limit on the size of files"
        case .readOnlyFileSystem: "mount its file system for writing"
        case .permissionDenied, .notPermitted: "let this user write there"
        case .noSuchFileOrDirectory: "the folder was removed; restart to have it made"
        case .ioError: "see the system's log for what its disk reports"
        default: "see that this user can write there"
        }
    }

    /// A file beyond the process's limit on sizes is an error like others, not SIGXFSZ's end of the process; other
    /// signals belong to other threads.
    private static func blockSignals() {
        var all = sigset_t()
        unsafe sigfillset(&all)
        unsafe pthread_sigmask(SIG_SETMASK, &all, nil)
    }
}
