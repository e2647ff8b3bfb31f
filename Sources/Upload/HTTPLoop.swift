import Logging

/// The life of the thread that drives libcurl: wait, hand over news, act on sockets and timers, start what is due.
///
/// It costs an append one signal, one wait and one send: nothing in its path waits for a timer.
final class HTTPLoop {
    private let mailbox: Mailbox
    private let clock = TurnClock()
    private let epoll: Epoll
    private let multi: CurlMulti
    private var destinations: [HTTPDestination] = []
    private var uploads: [UInt64: ObjectUpload] = [:]
    private var mail = Mailbox.Contents()
    private var ready: [(socket: Int32, readiness: Epoll.Readiness)] = []
    private var nextSweep: ContinuousClock.Instant
    /// When the thread ends at the latest; nil until it is told to.
    private var end: ContinuousClock.Instant?

    private static let sweepInterval = Duration.milliseconds(500)

    init(_ seed: UploadSeed<HTTPOrigin>) throws(UploadError) {
        mailbox = seed.mailbox
        epoll = try Epoll(event: seed.mailbox.event)
        let limit = seed.configuration.connectionsLimit.multipliedReportingOverflow(by: seed.targets.count)
        multi = try CurlMulti(
            epoll: epoll, clock: clock, connectionsLimit: limit.overflow ? Int(Int32.max) : limit.partialValue)
        nextSweep = clock.now + Self.sweepInterval
        destinations = seed.targets.map { target in
            HTTPDestination(
                target.place, multi: multi, clock: clock, configuration: seed.configuration,
                supersession: seed.supersession, metrics: target.metrics, report: target.report)
        }
    }

    /// The thread's whole life. What the system lacks at its start is logged, and everything handed over dropped.
    static func run(_ seed: UploadSeed<HTTPOrigin>, logger: Logger) {
        do throws(UploadError) {
            try HTTPLoop(seed).run()
        } catch {
            seed.mailbox.close()
            logger.critical("uploader could not start", metadata: ["upload.reason": "\(error)"])
        }
    }

    private func run() {
        while !isOver {
            wait()
            clock.now = .now
            takeMail()
            handleSockets()
            if clock.now >= nextSweep {
                for destination in destinations { destination.sweep() }
                nextSweep = clock.now + Self.sweepInterval
            }
            advance()
            multi.settle()
        }
        mailbox.close()
        for upload in uploads.values { giveUp(upload, .dropped) }
    }

    /// Starts, and lets libcurl act on, what follows from this turn's events.
    private func advance() {
        // Completions make room for starts, starts call for action: a few rounds, the rest without waiting.
        for _ in 0..<4 {
            for destination in destinations { destination.pump() }
            multi.actIfDue()
            if !handleCompletions() { return }
        }
    }

    private func handleSockets() {
        guard !ready.isEmpty else { return }
        var left: [Transfer] = []
        for (socket, readiness) in ready {
            if let transfer = multi.handle(socket, readiness) { left.append(transfer) }
        }
        ready.removeAll(keepingCapacity: true)
        handleCompletions()
        for transfer in left { transfer.destination.peerLeft(transfer) }
    }

    /// True when there were some.
    @discardableResult
    private func handleCompletions() -> Bool {
        var isAny = false
        while let completion = multi.nextCompletion() {
            completion.transfer.destination.completed(completion)
            isAny = true
        }
        return isAny
    }

    private func wait() {
        guard mailbox.mayWait() else { return epoll.wait(milliseconds: 0) { ready.append(($0, $1)) } }
        var deadline = uploads.isEmpty ? nil : nextSweep
        deadline = earlier(deadline, multi.deadline)
        deadline = earlier(deadline, end)
        for destination in destinations { deadline = earlier(deadline, destination.due) }
        let timeout = deadline.map { Int32(clamping: ($0 - clock.now).wholeMilliseconds) }
        epoll.wait(milliseconds: timeout) { ready.append(($0, $1)) }
    }

    private func earlier(
        _ left: ContinuousClock.Instant?, _ right: ContinuousClock.Instant?
    ) -> ContinuousClock.Instant? {
        guard let left, let right else { return left ?? right }
        return min(left, right)
    }

    /// Whether it was told to end, and nothing finished is left to deliver or no time to.
    private var isOver: Bool {
        guard let end else { return false }
        return clock.now >= end || !uploads.values.contains { $0.body.phase == .finished }
    }

    private func takeMail() {
        mailbox.take(&mail)
        // Not kept until the next turn: a body's memory is its last holder's to release.
        defer { mail.removeAll() }
        // News of running uploads first: their bytes are what is waited for.
        for body in mail.bodies {
            let phase = body.noticed(by: mailbox.bit)
            guard let upload = uploads[body.id] else { continue }
            switch phase {
            case .open, .finished: for transfer in upload.transfers { multi.resume(transfer) }
            case .abandoned: giveUp(upload, .abandoned)
            case .expired: giveUp(upload, .dropped)
            }
        }
        for command in mail.commands {
            switch command {
            case .open(let body): add(ObjectUpload(body, wholeCount: nil))
            case .put(let body): add(ObjectUpload(body, wholeCount: body.count))
            case .remove: break
            case .shutdown(let instant): end = min(end ?? instant, instant)
            }
        }
    }

    private func add(_ upload: ObjectUpload) {
        let reader = mailbox.bit
        uploads[upload.body.id] = upload
        upload.whenEnded = { [unowned self] upload in
            uploads[upload.body.id] = nil
            upload.body.release(by: reader)
        }
        upload.begin(at: destinations)
    }

    private func giveUp(_ upload: ObjectUpload, _ outcome: UploadOutcome) {
        for transfer in upload.transfers { transfer.destination.giveUp(transfer, outcome) }
    }
}
