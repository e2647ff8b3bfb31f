package import CoreMetrics
package import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
package import OriginStore
import ServiceLifecycle
import Synchronization

/// Complete objects on disk, one file each, for the origin's next start.
///
/// The store tells it what it holds; a thread of its own writes that behind it. Whatever ends the process, what is found
/// at the next start is whole objects, and every one that was complete more than a moment before. A disk that is full or
/// fails costs what should have been written and nothing else: the origin goes on serving from memory.
///
/// Its life: ``load(limitBytes:_:)`` once, then ``run()``, listed before the services that store, so that it stops after
/// them.
package final class DataDirectory: StoreJournal, Service {
    private struct Shared: ~Copyable {
        var work: WriteBehind
        var flushes: [CheckedContinuation<Void, Never>] = []
    }

    let configuration: DataDirectoryConfiguration
    let folder: DataFolder
    let logger: Logger
    let metrics: DataDirectoryMetrics
    private let shared: Mutex<Shared>
    /// True when the thread is to look again.
    private let bell = ConditionLock(value: false)

    /// Makes the folder where it is missing, and takes it for this process alone.
    package init(
        _ configuration: DataDirectoryConfiguration, logger: Logger,
        metrics factory: any MetricsFactory = MetricsSystem.factory
    ) throws(DataDirectoryError) {
        self.configuration = configuration
        self.logger = logger
        folder = try DataFolder(configuration.path, isSynchronised: configuration.sync == .always)
        metrics = DataDirectoryMetrics(factory: factory)
        let limits = WriteBehind.Limits(
            bytes: configuration.queueLimitBytes, objects: configuration.queueLimitObjects,
            isSynchronised: configuration.sync == .always)
        shared = Mutex(Shared(work: WriteBehind(limits: limits)))
    }

    // MARK: What the store tells

    package func stored(_ object: StoredObject) {
        let (refusal, wakes) = change { work in (work.stored(object), work.wakes()) }
        if wakes { ring() }
        switch refusal {
        case .full: metrics.dropped(.full)
        case .degraded: metrics.dropped(.degraded)
        case .stopped: metrics.dropped(.stopped)
        case nil: break
        }
    }

    package func removed(_ key: ObjectKey) {
        let wakes = change { work in
            work.removed(key)
            return work.wakes()
        }
        if wakes { ring() }
    }

    /// Waits until the thread has nothing left that it can do: all that was told before is on disk then, or dropped.
    /// To be called while ``run()`` runs, or after it. The origin never waits for it; tests do.
    package func flush() async {
        await withCheckedContinuation { continuation in
            let isDone = shared.withLock { shared in
                let isDone = shared.work.isWaiting || shared.work.hasEnded
                if !isDone { shared.flushes.append(continuation) }
                return isDone
            }
            if isDone { continuation.resume() }
        }
    }

    // MARK: The thread

    /// Writes until graceful shutdown or cancellation, then for as long as it takes to write what waits, up to
    /// ``DataDirectoryConfiguration/stopLimit``.
    package func run() async throws {
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        await withTaskCancellationOrGracefulShutdownHandler {
            await withCheckedContinuation { continuation in
                pool.submit { _ in
                    DiskWriter(directory: self).run()
                    continuation.resume()
                }
            }
        } onCancelOrGracefulShutdown: {
            self.stop()
        }
        try await pool.shutdownGracefully()
    }

    private func stop() {
        let deadline = NIODeadline.now() + configuration.stopLimit
        let wakes = change { work in
            work.stop(by: deadline)
            return work.wakes()
        }
        if wakes { ring() }
    }

    /// The thread's next step, as soon as there is one.
    func nextStep() -> WriteBehind.Step {
        while true {
            let step = change { $0.next(now: .now()) }
            switch step {
            case .wait(let deadline):
                resumeFlushes()
                wait(until: deadline)
            case .end:
                resumeFlushes()
                return step
            default:
                return step
            }
        }
    }

    /// Changes what is to be done, and keeps the gauge.
    func change<Result: Sendable>(_ change: (inout WriteBehind) -> Result) -> Result {
        shared.withLock { shared in
            let result = change(&shared.work)
            metrics.queuedBytes.record(shared.work.queuedBytes)
            return result
        }
    }

    private func resumeFlushes() {
        let flushes = shared.withLock { shared in
            // A flush that came after a wake-up waits for what woke.
            guard shared.work.isWaiting || shared.work.hasEnded else { return [CheckedContinuation<Void, Never>]() }
            defer { shared.flushes = [] }
            return shared.flushes
        }
        for flush in flushes { flush.resume() }
    }

    private func ring() {
        bell.lock()
        bell.unlock(withValue: true)
    }

    private func wait(until deadline: NIODeadline?) {
        if let deadline {
            let seconds = Double(max(0, (deadline - .now()).nanoseconds)) / 1_000_000_000
            guard bell.lock(whenValue: true, timeoutSeconds: seconds) else { return }
        } else {
            bell.lock(whenValue: true)
        }
        bell.unlock(withValue: false)
    }
}
