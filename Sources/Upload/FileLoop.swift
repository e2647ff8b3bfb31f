import NIOCore

/// The life of the thread that writes to directories: apart from HTTP, which a slow disk must not delay.
final class FileLoop {
    private let mailbox: Mailbox
    private let destinations: [FileDestination]
    /// Growing files by body, one for each destination where the body is not ended.
    private var files: [UInt64: [GrowingFile]] = [:]
    private var end: ContinuousClock.Instant?
    private var temporaryNumber: UInt64 = 0

    /// Pieces written of one body before the next one's turn.
    private static let piecesLimit = 256

    init(_ seed: UploadSeed<String>) {
        mailbox = seed.mailbox
        destinations = seed.targets.map {
            FileDestination(directory: $0.place, metrics: $0.metrics, report: $0.report)
        }
    }

    func run() {
        // What was handed over before the shutdown is written in the turn that finds it.
        while end == nil || (ContinuousClock.now < end ?? .now && hasFinishedFiles) {
            if mailbox.mayWait() {
                let timeout = end.map { Int32(clamping: ($0 - .now).wholeMilliseconds) }
                mailbox.event.wait(milliseconds: timeout)
            }
            turn()
        }
        mailbox.close()
        for id in Array(files.keys) { giveUp(id, .dropped) }
    }

    private var hasFinishedFiles: Bool {
        files.values.contains { $0.first?.body.phase == .finished }
    }

    private func turn() {
        var mail = Mailbox.Contents()
        mailbox.take(&mail)
        // The newest version of a whole object alone is worth a slow disk's time.
        var puts: [String: GrowingBody] = [:]
        var order: [String] = []
        for command in mail.commands {
            switch command {
            case .open(let body): open(body)
            case .put(let body):
                if let older = puts.updateValue(body, forKey: body.path) {
                    for destination in destinations { destination.ended(older, .replaced) }
                    older.release(by: mailbox.bit)
                } else {
                    order.append(body.path)
                }
            case .remove(let path):
                for destination in destinations { destination.remove(path) }
            case .shutdown(let instant): end = min(end ?? instant, instant)
            }
        }
        for body in mail.bodies {
            switch body.noticed(by: mailbox.bit) {
            case .open, .finished: grow(body)
            case .abandoned: giveUp(body.id, .abandoned)
            case .expired: giveUp(body.id, .dropped)
            }
        }
        for path in order {
            guard let body = puts[path] else { continue }
            put(body)
        }
    }

    private func open(_ body: GrowingBody) {
        files[body.id] = destinations.map { GrowingFile(body, at: $0) }
        grow(body)
    }

    private func grow(_ body: GrowingBody) {
        guard let growing = files[body.id] else { return }
        let left = growing.filter { !$0.write(limit: Self.piecesLimit) }
        files[body.id] = left
        if left.isEmpty {
            files[body.id] = nil
            body.release(by: mailbox.bit)
        } else if left.contains(where: \.hasMore) {
            body.announceAgain(to: mailbox)
        }
    }

    private func put(_ body: GrowingBody) {
        var cursor = GrowingBody.Cursor()
        temporaryNumber &+= 1
        let pieces = body.pieces(at: &cursor, limit: .max)?.pieces ?? []
        for destination in destinations {
            let isWritten = destination.write(pieces, whole: body, temporaryNumber: temporaryNumber)
            destination.ended(body, isWritten ? .delivered : .failed)
        }
        body.release(by: mailbox.bit)
    }

    private func giveUp(_ id: UInt64, _ outcome: UploadOutcome) {
        guard let growing = files.removeValue(forKey: id) else { return }
        for file in growing { file.giveUp(outcome) }
        growing.first?.body.release(by: mailbox.bit)
    }
}

/// One growing object in one directory; belongs to the thread that writes files.
final class GrowingFile {
    let body: GrowingBody
    private let destination: FileDestination
    private var cursor = GrowingBody.Cursor()
    private var file: File?
    private(set) var hasMore = false

    init(_ body: GrowingBody, at destination: FileDestination) {
        self.body = body
        self.destination = destination
        file = destination.create(body)
    }

    /// Writes what has come; true when nothing is left to do.
    func write(limit: Int) -> Bool {
        guard let file else {
            destination.ended(body, .failed)
            return true
        }
        // Gone: the news of it is on its way.
        guard let (pieces, isEnd) = body.pieces(at: &cursor, limit: limit) else { return false }
        hasMore = pieces.count == limit
        guard destination.append(pieces, to: file) else {
            giveUp(.failed)
            return true
        }
        if isEnd { destination.ended(body, .delivered) }
        return isEnd
    }

    /// A part is not left behind, where it would pass for the whole.
    func giveUp(_ outcome: UploadOutcome) {
        file = nil
        if let path = body.objectPath { destination.remove(path) }
        destination.ended(body, outcome)
    }
}
