package import CoreMetrics
package import Logging
package import NIOCore
import Synchronization

/// Sends objects to several destinations at once over one shared copy of their bytes.
///
/// Every method can be called from any thread and returns at once. HTTP destinations are served by one thread and
/// directories by another; none of them delays another one or the caller. What a destination missed is sent again
/// for as long as it is worth having, then given up and counted.
package final class Uploader: Sendable {
    private let configuration: Configuration
    private let supersession = Supersession()
    private let identifiers = Mutex<UInt64>(0)
    private let metrics: [UploadMetrics]
    private let tokens: [BearerToken]
    private let logger: Logger
    /// The mailbox and thread of each kind there is, and the destinations' numbers.
    private let workers: [Worker]

    private struct Worker: Sendable {
        let mailbox: Mailbox
        let thread: WorkerThread
        let indices: [Int]
    }

    private static let httpBit: UInt8 = 1
    private static let fileBit: UInt8 = 2

    /// Throws `unavailable` when the system lacks descriptors, threads or memory, `unreadableFile` or `malformedToken`
    /// where a token cannot be had.
    package init(
        destinations: [Destination], configuration: Configuration = Configuration(), logger: Logger,
        metrics factory: any MetricsFactory = MetricsSystem.factory
    ) throws(UploadError) {
        self.configuration = configuration
        let metrics = destinations.indices.map { UploadMetrics(destination: $0, factory: factory) }
        self.metrics = metrics
        self.logger = logger

        var tokens: [String: BearerToken] = [:]
        var origins: [UploadSeed<HTTPOrigin>.Target] = []
        var directories: [UploadSeed<String>.Target] = []
        var indices: (origins: [Int], directories: [Int]) = ([], [])
        for (index, destination) in destinations.enumerated() {
            let report = DestinationReport(index: index, name: destination.description, logger: logger)
            switch destination {
            case .http(let base, let access):
                if let path = access.tokenFile, tokens[path] == nil { tokens[path] = try BearerToken(path: path) }
                let origin = HTTPOrigin(base: base, access: access, token: access.tokenFile.flatMap { tokens[$0] })
                origins.append(.init(place: origin, metrics: metrics[index], report: report))
                indices.origins.append(index)
            case .file(let directory):
                directories.append(.init(place: directory, metrics: metrics[index], report: report))
                indices.directories.append(index)
            }
        }
        self.tokens = Array(tokens.values)
        var workers: [Worker] = []
        let limit = configuration.transfersLimit
        if !origins.isEmpty {
            let mailbox = try Mailbox(bit: Self.httpBit, limit: limit)
            let seed = UploadSeed(
                mailbox: mailbox, targets: origins, configuration: configuration, supersession: supersession)
            let thread = try WorkerThread(name: "upload-http") { HTTPLoop.run(seed, logger: logger) }
            workers.append(Worker(mailbox: mailbox, thread: thread, indices: indices.origins))
        }
        if !directories.isEmpty {
            let mailbox = try Mailbox(bit: Self.fileBit, limit: limit)
            let seed = UploadSeed(
                mailbox: mailbox, targets: directories, configuration: configuration, supersession: supersession)
            let thread = try WorkerThread(name: "upload-file") { FileLoop(seed).run() }
            workers.append(Worker(mailbox: mailbox, thread: thread, indices: indices.directories))
        }
        self.workers = workers
        for token in self.tokens { warnOfReaders(of: token) }
    }

    deinit {
        for worker in workers { _ = worker.mailbox.post(.shutdown(.now)) }
    }

    /// Called on the uploader's thread, and to return soon, when an origin answers that a later epoch has the stream;
    /// `epoch` is the one that the refused request said. Not called where the epoch was raised since.
    package var onSuperseded: @Sendable (_ path: String, _ epoch: UInt64) -> Void {
        get { supersession.report }
        set { supersession.report = newValue }
    }

    /// Starts an object whose bytes are still to come; each destination's request begins at once.
    ///
    /// `path` is `/APP/STREAM/…/NAME`; a path with empty names, `.`, `..` or control characters is sent nowhere and
    /// counted. The body is the caller's until `expire`, which has to be called once the object left the window.
    package func open(path: String, contentType: String, epoch: PublishEpoch) -> GrowingBody {
        let body = makeBody(path: path, contentType: contentType, epoch: epoch, whole: nil)
        hand(body, .open(body))
        return body
    }

    /// Sends an object whole, with its length. At each destination one version of a path is in flight at a time, and
    /// the newest one follows; those between are skipped and counted.
    package func put(path: String, contentType: String, epoch: PublishEpoch, body bytes: ByteBuffer) {
        let body = makeBody(path: path, contentType: contentType, epoch: epoch, whole: bytes)
        hand(body, .put(body))
    }

    /// Releases an object's bytes: what is not delivered by now is given up and counted.
    package func expire(_ body: GrowingBody) {
        body.expire()
    }

    /// Deletes an object from directories; origins forget by themselves.
    package func remove(path: String) {
        guard let path = ObjectPath(path) else { return }
        for worker in workers where worker.mailbox.bit == Self.fileBit { _ = worker.mailbox.post(.remove(path)) }
    }

    /// Reads the files of tokens again, and tells so; requests that begin from then on say what they hold. A file that
    /// cannot be read leaves its token as it is.
    package func reloadTokens() {
        for token in tokens {
            do throws(UploadError) {
                try token.reload()
                logger.info("origin token read again", metadata: ["file": "\(token.path)"])
                warnOfReaders(of: token)
            } catch {
                logger.error(
                    "origin token not read again: the former one stays in use",
                    metadata: ["file": "\(token.path)", "reason": "\(error)"])
            }
        }
    }

    private func warnOfReaders(of token: BearerToken) {
        guard token.isReadableByOthers else { return }
        logger.warning(
            "every user of this host may read the origin token",
            metadata: ["file": "\(token.path)", "advice": "chmod o-r"])
    }

    /// Waits until every finished object is delivered, or for so long; gives up the rest and ends the threads.
    package func shutdown(within limit: Duration) async {
        let end = ContinuousClock.now + limit
        for worker in workers { _ = worker.mailbox.post(.shutdown(end)) }
        for worker in workers {
            // A directory's thread can be stuck in the kernel, where nothing can fetch it from: it is left there.
            _ = await worker.thread.join(by: end + .seconds(1))
        }
    }

    private func makeBody(
        path: String, contentType: String, epoch: PublishEpoch, whole: ByteBuffer?
    ) -> GrowingBody {
        let id = identifiers.withLock { identifier in
            identifier &+= 1
            return identifier
        }
        let isPlain = contentType.utf8.allSatisfy { (0x20...0x7E).contains($0) }
        return GrowingBody(
            id: id, path: path, contentType: isPlain ? contentType : "application/octet-stream", epoch: epoch,
            limitBytes: configuration.bodyBytesLimit,
            mailboxes: ObjectPath(path) == nil ? [] : workers.map(\.mailbox), whole: whole)
    }

    private func hand(_ body: GrowingBody, _ command: UploadCommand) {
        guard body.objectPath != nil else {
            for metrics in metrics { metrics.ended(.invalid) }
            return
        }
        for worker in workers where !worker.mailbox.post(command) {
            body.release(by: worker.mailbox.bit)
            for index in worker.indices { metrics[index].ended(.dropped) }
        }
    }
}
