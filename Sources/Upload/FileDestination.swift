import CoreMetrics
import NIOCore

/// One directory; belongs to the thread that writes files.
///
/// After an error the object is given up, the next one tried.
final class FileDestination {
    private let directory: String
    private let metrics: UploadMetrics
    private var report: DestinationReport

    init(directory: String, metrics: UploadMetrics, report: DestinationReport) {
        self.directory = directory
        self.metrics = metrics
        self.report = report
    }

    func create(_ body: GrowingBody) -> File? {
        guard let path = body.objectPath, let name = path.names.last else { return nil }
        return attempt { () throws(FileError) in
            try File(creating: name, in: Folder(path.names.dropLast(), below: directory, isMade: true))
        }
    }

    func append(_ pieces: [ByteBuffer], to file: File) -> Bool {
        let isWritten: Void? = attempt { () throws(FileError) in
            for piece in pieces { try file.write(piece) }
        }
        guard isWritten != nil else { return false }
        metrics.bytes.increment(by: pieces.reduce(0) { $0 + $1.readableBytes })
        return true
    }

    /// Readers see the old version or the new one, never a part.
    func write(_ pieces: [ByteBuffer], whole body: GrowingBody, temporaryNumber: UInt64) -> Bool {
        guard let path = body.objectPath, let name = path.names.last else { return false }
        let isWritten: Void? = attempt { () throws(FileError) in
            let folder = try Folder(path.names.dropLast(), below: directory, isMade: true)
            let temporary = ".upload-\(temporaryNumber)"
            do throws(FileError) {
                let file = try File(creating: temporary, in: folder)
                for piece in pieces { try file.write(piece) }
                try folder.rename(temporary, to: name)
            } catch {
                folder.remove(temporary)
                throw error
            }
        }
        guard isWritten != nil else { return false }
        metrics.bytes.increment(by: pieces.reduce(0) { $0 + $1.readableBytes })
        return true
    }

    /// Of no effect where there is no such file.
    func remove(_ path: ObjectPath) {
        guard let name = path.names.last,
            let folder = try? Folder(path.names.dropLast(), below: directory, isMade: false)
        else { return }
        folder.remove(name)
    }

    func ended(_ body: GrowingBody, _ outcome: UploadOutcome) {
        metrics.ended(outcome)
        switch outcome {
        case .delivered: report.recovered()
        case .dropped, .failed: report.skip(body.path)
        case .superseded, .replaced, .abandoned, .invalid: break
        }
    }

    private func attempt<Result>(_ work: () throws(FileError) -> Result) -> Result? {
        do throws(FileError) {
            return try work()
        } catch {
            report.trouble(error.reason)
            return nil
        }
    }
}
