import Logging

/// Tells of a destination's trouble once when it starts and once when it is over.
struct DestinationReport {
    private let logger: Logger
    private var isInTrouble = false
    /// When a denial was told, and which reading of the token it was about.
    private var denial: (toldAt: ContinuousClock.Instant, generation: Int)?
    private var skipped = 0

    init(index: Int, name: String, logger: Logger) {
        var logger = logger
        logger[metadataKey: "upload.destination"] = "\(name)"
        logger[metadataKey: "upload.destination.index"] = "\(index)"
        self.logger = logger
    }

    /// `isTold`: another line has told the reason.
    mutating func trouble(_ reason: String, isTold: Bool = false) {
        guard !isInTrouble else { return }
        isInTrouble = true
        skipped = 0
        if isTold { return }
        logger.warning("upload destination is failing", metadata: ["upload.reason": "\(reason)"])
    }

    mutating func recovered() {
        guard isInTrouble else { return }
        isInTrouble = false
        logger.info("upload destination has recovered", metadata: ["upload.skipped": "\(skipped)"])
    }

    /// The origin knows who sends, or does not, and takes nothing from there: told once for each reading of the token,
    /// and again when much time has passed, since a success of another object does not end it.
    mutating func denied(
        _ path: String, status: Int, by credential: OriginCredential, now: ContinuousClock.Instant
    ) {
        let generation = credential.token?.generation ?? 0
        if let denial, denial.generation == generation, now - denial.toldAt < Self.denialInterval { return }
        denial = (now, generation)
        logger.error(
            "upload destination refuses this sender",
            metadata: [
                "upload.path": "\(path)", "upload.reason": "HTTP \(status)",
                "upload.advice": "\(credential.advice(status: status))",
            ])
    }

    private static let denialInterval = Duration.seconds(600)

    /// An object was given up.
    mutating func skip(_ path: String) {
        skipped += 1
        logger.debug("upload given up", metadata: ["upload.path": "\(path)"])
    }

    func retry(_ path: String, reason: String) {
        logger.debug("upload is retried", metadata: ["upload.path": "\(path)", "upload.reason": "\(reason)"])
    }

    func superseded(_ path: String, epoch: UInt64) {
        logger.info(
            "upload superseded by a later publisher",
            metadata: ["upload.path": "\(path)", "upload.epoch": "\(epoch)"])
    }
}
