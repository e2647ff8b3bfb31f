import Synchronization

/// Whom to tell that an origin holds a later epoch.
final class Supersession: Sendable {
    typealias Report = @Sendable (_ path: String, _ epoch: UInt64) -> Void

    private let handler = Mutex<Report>({ _, _ in })

    var report: Report {
        get { handler.withLock { $0 } }
        set { handler.withLock { $0 = newValue } }
    }

    func report(path: String, epoch: UInt64) {
        report(path, epoch)
    }
}
