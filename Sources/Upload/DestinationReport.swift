import Logging

/// Tells of a destination's trouble once when it starts and once when it is over.
struct DestinationReport {
    private let logger: Logger
    private var isInTrouble = false
    private var skipped = 0

    init(index: Int, name: String, logger: Logger) {
        var logger = logger
        logger[metadataKey: "upload.destination"] = "\(name)"
        logger[metadataKey: "upload.destination.index"] = "\(index)"
        self.logger = logger
    }

    mutating func trouble(_ reason: String) {
        guard !isInTrouble else { return }
        isInTrouble = true
        skipped = 0
        logger.warning("upload destination is failing", metadata: ["upload.reason": "\(reason)"])
    }

    mutating func recovered() {
        guard isInTrouble else { return }
        isInTrouble = false
        logger.info("upload destination has recovered", metadata: ["upload.skipped": "\(skipped)"])
    }

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
