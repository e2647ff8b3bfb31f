/// One object on its way to one HTTP destination; belongs to the uploader's thread.
final class Transfer {
    let upload: ObjectUpload
    unowned let destination: HTTPDestination
    /// When a whole object has lost its worth; nil for a growing one, which expires by its phase.
    let expiresAt: ContinuousClock.Instant?
    var failures = 0
    /// When it may start, or start again.
    var notBefore: ContinuousClock.Instant
    /// The newer version that goes out after this one.
    var successor: Transfer?
    var isEnded = false

    // While it runs:
    /// The epoch that its request says.
    var epoch: UInt64 = 0
    var easy: CurlEasy?
    var isProbe = false
    var isConnected = false
    var cursor = GrowingBody.Cursor()
    /// Whether libcurl was told that there is nothing to send.
    var isPaused = false
    var readCalls = 0
    var socket: Int32?
    var lastProgress: ContinuousClock.Instant
    /// When the body's last byte was handed over.
    var bodyEnd: ContinuousClock.Instant?
    var answerBytes = 0

    init(
        _ upload: ObjectUpload, to destination: HTTPDestination, expiresAt: ContinuousClock.Instant?,
        now: ContinuousClock.Instant
    ) {
        self.upload = upload
        self.destination = destination
        self.expiresAt = expiresAt
        notBefore = now
        lastProgress = now
    }

    var body: GrowingBody { upload.body }
    var isRunning: Bool { easy != nil }

    func starts(now: ContinuousClock.Instant, isProbe: Bool) {
        epoch = body.epoch.value
        self.isProbe = isProbe
        isConnected = false
        cursor = GrowingBody.Cursor()
        isPaused = false
        readCalls = 0
        socket = nil
        lastProgress = now
        bodyEnd = upload.wholeCount == 0 ? now : nil
        answerBytes = 0
    }

    /// There may be something to send again: the time without it is no lack of progress.
    func resumes(now: ContinuousClock.Instant) {
        isPaused = false
        lastProgress = now
    }

    /// Why it should be given up; nil while all is well.
    func timeout(now: ContinuousClock.Instant, _ configuration: Uploader.Configuration) -> String? {
        if let bodyEnd { return now - bodyEnd > configuration.responseTimeout ? "no answer" : nil }
        return !isPaused && now - lastProgress > configuration.progressTimeout ? "no bytes taken" : nil
    }
}

extension Transfer {
    enum Reading: Equatable {
        case bytes(Int)
        case pause
        case end
        case abort
    }

    /// libcurl asks for bytes.
    @unsafe
    func read(into space: UnsafeMutableRawBufferPointer) -> Reading {
        readCalls += 1
        if !isConnected {
            isConnected = true
            destination.connected()
        }
        switch unsafe body.read(into: space, at: &cursor) {
        case .bytes(let count):
            lastProgress = destination.clock.now
            destination.sentBytes += count
            if cursor.position == upload.wholeCount { bodyEnd = destination.clock.now }
            return .bytes(count)
        case .waiting:
            isPaused = true
            return .pause
        case .end:
            bodyEnd = bodyEnd ?? destination.clock.now
            return .end
        case .gone:
            return .abort
        }
    }

    /// libcurl sends the connection's request a second time (a kept connection that the server had closed).
    func rewind() {
        cursor = GrowingBody.Cursor()
        bodyEnd = upload.wholeCount == 0 ? destination.clock.now : nil
    }

    /// Whether an answer's body may still grow by so many bytes; they are not kept.
    func takeAnswer(_ count: Int) -> Bool {
        answerBytes += count
        return answerBytes <= 64 << 10
    }
}

/// The time of the thread's present turn.
final class TurnClock {
    var now = ContinuousClock.now
}
