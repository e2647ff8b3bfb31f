import CCurl
import CoreMetrics

/// One origin's queue, requests and state, independent of every other's; belongs to the uploader's thread.
///
/// | a transfer is | entered when | next |
/// |---|---|---|
/// | waiting | added; a request for it failed | running, once `notBefore` is over and the destination's health admits it |
/// | running | its request is in libcurl | waiting again; ended |
/// | behind another | a whole object while an older version runs | waiting; ended (replaced) |
/// | ended | delivered, superseded, replaced, dropped, abandoned | – |
final class HTTPDestination {
    /// Request handles kept for later; each has buffers of about 100 KiB.
    private static let idleLimit = 256

    let clock: TurnClock
    /// Bytes handed over since they were last counted.
    var sentBytes = 0
    private let origin: HTTPOrigin
    private let multi: CurlMulti
    private let configuration: Uploader.Configuration
    private let supersession: Supersession
    private let metrics: UploadMetrics
    private var report: DestinationReport
    private var health: DestinationHealth
    private let backoff: Backoff

    private var waiting: [Transfer] = []
    private var running: [ObjectIdentifier: Transfer] = [:]
    /// The whole object of each path that is waiting or running.
    private var wholes: [String: Transfer] = [:]
    private var idle: [CurlEasy] = []
    private var probes = 0
    /// Whether something may start that could not before.
    private var isStirred = false
    /// When the next waiting transfer or probe is due.
    private var nextDue: ContinuousClock.Instant?
    /// Objects that are not yet ended.
    private var count = 0

    init(
        _ origin: HTTPOrigin, multi: CurlMulti, clock: TurnClock, configuration: Uploader.Configuration,
        supersession: Supersession, metrics: UploadMetrics, report: DestinationReport
    ) {
        self.origin = origin
        self.multi = multi
        self.clock = clock
        self.configuration = configuration
        self.supersession = supersession
        self.metrics = metrics
        self.report = report
        backoff = Backoff(first: configuration.firstRetryDelay, longest: configuration.longestRetryDelay)
        health = DestinationHealth(backoff: backoff)
    }
}

// MARK: What comes in

extension HTTPDestination {
    func add(_ upload: ObjectUpload) {
        let now = clock.now
        let isWhole = upload.wholeCount != nil
        let transfer = Transfer(
            upload, to: self, expiresAt: isWhole ? now + configuration.wholeLifetime : nil, now: now)
        upload.transfers.append(transfer)
        count += 1
        if count > configuration.transfersLimit, let oldest = waiting.first { end(oldest, .dropped) }
        guard count <= configuration.transfersLimit else { return end(transfer, .dropped) }
        guard isWhole, let current = wholes.updateValue(transfer, forKey: transfer.body.path) else {
            return enqueue(transfer)
        }
        if current.isRunning {
            wholes[transfer.body.path] = current
            if let older = current.successor { end(older, .replaced) }
            current.successor = transfer
        } else {
            transfer.notBefore = current.notBefore
            transfer.failures = current.failures
            end(current, .replaced)
            enqueue(transfer)
        }
    }

    /// The body is gone: nothing of it is to be sent any more.
    func giveUp(_ transfer: Transfer, _ outcome: UploadOutcome) {
        guard !transfer.isEnded else { return }
        stop(transfer)
        end(transfer, outcome)
    }

    func connected() {
        if health.connected() == .recovered { recover() }
    }

    private func enqueue(_ transfer: Transfer) {
        waiting.append(transfer)
        isStirred = true
    }
}

// MARK: Starting

extension HTTPDestination {
    /// When `pump` is to be called again, whatever else happens.
    var due: ContinuousClock.Instant? { isStirred ? clock.now : nextDue }

    /// Starts what may start now.
    func pump() {
        let now = clock.now
        guard isStirred || nextDue.map({ $0 <= now }) ?? false else { return }
        isStirred = false
        nextDue = nil
        if let admitted = health.admitted(probes: probes, now: now) {
            for _ in 0..<min(admitted, waiting.count) { start(waiting.remove(at: probeIndex), isProbe: true) }
            if probes == 0, !waiting.isEmpty { nextDue = health.retryAt }
        } else {
            let candidates = waiting
            waiting = []
            for transfer in candidates {
                if transfer.notBefore <= now, running.count < configuration.connectionsLimit {
                    start(transfer, isProbe: false)
                } else {
                    waiting.append(transfer)
                    nextDue = min(nextDue ?? transfer.notBefore, transfer.notBefore)
                }
            }
            // With all connections in use, it is the end of a request that makes room.
            if running.count >= configuration.connectionsLimit { nextDue = nil }
        }
    }

    /// A whole or finished object tells soonest how the destination is.
    private var probeIndex: Int { waiting.firstIndex { $0.body.phase == .finished } ?? 0 }

    private func start(_ transfer: Transfer, isProbe: Bool) {
        switch transfer.body.phase {
        case .expired: return end(transfer, .dropped)
        case .abandoned: return end(transfer, .abandoned)
        case .open, .finished: break
        }
        let easy: CurlEasy
        do {
            easy = try idle.popLast() ?? CurlEasy(configuration, origin.access)
        } catch {
            return failed(transfer, .broken, reason: "out of memory")
        }
        transfer.starts(now: clock.now, isProbe: isProbe)
        let isPrepared = easy.prepare(
            transfer, url: origin.base.text + transfer.upload.target, headers: headers(transfer),
            length: transfer.upload.wholeCount, isFreshConnection: isProbe || transfer.failures > 0)
        guard isPrepared, multi.add(easy) else {
            easy.forget()
            return failed(transfer, .broken, reason: "out of memory")
        }
        transfer.easy = easy
        running[ObjectIdentifier(transfer)] = transfer
        if isProbe { probes += 1 }
        metrics.active.record(running.count)
    }

    private func headers(_ transfer: Transfer) -> [String] {
        let lines = [
            "Content-Type: \(transfer.body.contentType)", "Headwater-Epoch: \(transfer.epoch)",
            // libcurl before 8.0 waits a second for an answer to its Expect header; an empty one removes it.
            "Expect:", "Accept:",
        ]
        return origin.credential.token.map { lines + [$0.headerLine] } ?? lines
    }
}

// MARK: Ending

extension HTTPDestination {
    /// A request is over, as libcurl tells.
    func completed(_ completion: CurlMulti.Completion) {
        let transfer = completion.transfer
        let status = completion.easy.status
        let isSent = transfer.bodyEnd != nil
        stop(transfer)
        switch (completion.code, status) {
        case (_, 409), (_, 300...):
            refused(transfer, status: status)
        // The rest of an overlong answer is not waited for.
        case (CURLE_OK, 200..<300) where isSent, (CURLE_WRITE_ERROR, 200..<300) where isSent:
            if health.succeeded() == .recovered { recover() }
            end(transfer, .delivered)
        case (CURLE_OK, _):
            failed(transfer, .broken, reason: "answered before the end")
        default:
            failed(transfer, transfer.isConnected ? .broken : .unreachable, reason: curlReason(completion.code))
        }
    }

    /// The origin closed the connection before it had the whole body, perhaps with an answer.
    func peerLeft(_ transfer: Transfer) {
        guard let easy = transfer.easy else { return }
        let (status, isKept) = (easy.status, easy.connections == 0)
        stop(transfer)
        if status >= 300 {
            refused(transfer, status: status)
        } else if isKept {
            // A connection from an earlier request may end at any time: that says nothing of the destination.
            transfer.failures += 1
            retryAtOnce(transfer, reason: "kept connection closed by the origin")
        } else {
            failed(transfer, .broken, reason: "connection closed by the origin")
        }
    }

    private func refused(_ transfer: Transfer, status: Int) {
        let isDenied = status == 401 || status == 403
        if isDenied { report.denied(transfer.body.path, status: status, by: origin.credential, now: clock.now) }
        guard status == 409 else { return failed(transfer, .refused, reason: "HTTP \(status)", isTold: isDenied) }
        // The broadcast itself may be the later publisher. Each further request says a larger epoch, so this ends.
        guard transfer.epoch == transfer.body.epoch.value else {
            return retryAtOnce(transfer, reason: "refused for an epoch raised since")
        }
        report.superseded(transfer.body.path, epoch: transfer.epoch)
        end(transfer, .superseded)
        supersession.report(path: transfer.body.path, epoch: transfer.epoch)
    }

    /// Looks for requests and waiting objects whose time is over, and counts bytes; called now and then.
    func sweep() {
        let now = clock.now
        for transfer in running.values {
            guard let reason = transfer.timeout(now: now, configuration) else { continue }
            stop(transfer)
            failed(transfer, .unresponsive, reason: reason)
        }
        for transfer in waiting {
            if let expiresAt = transfer.expiresAt, expiresAt <= now { end(transfer, .dropped) }
        }
        countBytes()
    }

    /// Takes a running transfer's request out of libcurl and keeps the handle.
    private func stop(_ transfer: Transfer) {
        guard let easy = transfer.easy else { return }
        metrics.connections.increment(by: easy.connections)
        multi.remove(easy)
        transfer.easy = nil
        running[ObjectIdentifier(transfer)] = nil
        if transfer.isProbe {
            transfer.isProbe = false
            probes -= 1
        }
        if idle.count < Self.idleLimit { idle.append(easy) }
        isStirred = true
        metrics.active.record(running.count)
        countBytes()
    }

    private func failed(
        _ transfer: Transfer, _ failure: DestinationHealth.Failure, reason: String, isTold: Bool = false
    ) {
        switch transfer.body.phase {
        case .expired: return end(transfer, .dropped)
        case .abandoned: return end(transfer, .abandoned)
        case .open, .finished: break
        }
        let now = clock.now
        let isFirst = transfer.failures == 0
        if health.failed(failure, isFirst: isFirst, now: now, jitter: .random(in: 0..<1)) == .trouble {
            report.trouble(reason, isTold: isTold)
        }
        // The destination's delay may have begun or grown.
        isStirred = true
        transfer.failures += 1
        transfer.notBefore =
            now + backoff.delay(afterFailures: transfer.failures, jitter: .random(in: 0..<1))
        if let successor = transfer.successor {
            successor.failures = transfer.failures
            successor.notBefore = transfer.notBefore
            return end(transfer, .replaced)
        }
        if let expiresAt = transfer.expiresAt, expiresAt <= transfer.notBefore { return end(transfer, .dropped) }
        retry(transfer, reason: reason)
    }

    /// After what says nothing of the destination's health.
    private func retryAtOnce(_ transfer: Transfer, reason: String) {
        guard transfer.successor == nil else { return end(transfer, .replaced) }
        transfer.notBefore = clock.now
        retry(transfer, reason: reason)
    }

    private func retry(_ transfer: Transfer, reason: String) {
        metrics.retries.increment()
        report.retry(transfer.body.path, reason: reason)
        enqueue(transfer)
    }

    private func recover() {
        report.recovered()
        isStirred = true
        for transfer in waiting { transfer.notBefore = clock.now }
    }

    /// Ends a transfer that does not run.
    private func end(_ transfer: Transfer, _ outcome: UploadOutcome) {
        guard !transfer.isEnded else { return }
        transfer.isEnded = true
        count -= 1
        waiting.removeAll { $0 === transfer }
        if wholes[transfer.body.path] === transfer {
            let successor = transfer.successor
            wholes[transfer.body.path] = successor
            if let successor { enqueue(successor) }
        }
        transfer.successor = nil
        if outcome == .dropped { report.skip(transfer.body.path) }
        transfer.upload.ended(transfer)
        metrics.ended(outcome)
    }

    private func countBytes() {
        guard sentBytes > 0 else { return }
        metrics.bytes.increment(by: sentBytes)
        sentBytes = 0
    }
}
