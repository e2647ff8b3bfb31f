import Glibc
package import Logging
package import ServiceLifecycle
import UnixSignals

/// Runs a process's services from start to end.
///
/// | event | what happens |
/// |---|---|
/// | a service ends or throws | all are stopped; status 1, with the reason in the log |
/// | SIGHUP | what the service can read again is read again |
/// | the first SIGTERM or SIGINT | readiness goes; then services stop one after the other, the last first |
/// | they take longer than they may | they are cancelled; 2 s later the process ends, status 1 |
/// | another SIGTERM or SIGINT, half a second later or more | the process ends at once, status 1 |
package struct ServiceRunner: Sendable {
    /// In the order of their start.
    package var services: [any Service]
    package var readiness: Readiness?
    package var logger: Logger
    /// How long the services may take by themselves to stop; they are cancelled ``drainMargin`` later.
    package var drainLimit: Duration
    /// How long the services have to stop once they are cancelled; then the process ends without them.
    package var cancellationGrace: Duration
    /// What the services finish before they stop, in words for the log.
    package var waitsFor: @Sendable () -> String
    /// Reads again what can change while the services run; never called while it runs.
    package var onReload: (@Sendable () -> Void)?

    package static let drainMargin = Duration.seconds(3)
    /// Signals this close to the first are the same one, sent both by the terminal and by what started the process.
    private static let sameSignal = Duration.milliseconds(500)

    package init(
        services: [any Service], readiness: Readiness? = nil, logger: Logger, drainLimit: Duration = .seconds(7),
        cancellationGrace: Duration = .seconds(2), waitsFor: @escaping @Sendable () -> String = { "" },
        onReload: (@Sendable () -> Void)? = nil
    ) {
        self.services = services
        self.readiness = readiness
        self.logger = logger
        self.drainLimit = drainLimit
        self.cancellationGrace = cancellationGrace
        self.waitsFor = waitsFor
        self.onReload = onReload
    }

    /// Prepares the process, makes its services and runs them until it is told to stop.
    ///
    /// What `make` throws is told on the standard error stream, as the log may not be set up yet: a `ConfigurationError`
    /// gives the status `usage`, all else `failure`.
    package static func main(program: String, _ make: () async throws -> ServiceRunner) async -> ProcessStatus {
        ProcessLimits.letWritesFail()
        ProcessLimits.ignoreHangUps()
        ProcessLimits.raiseOpenFiles()
        ProcessLimits.growFileTable()
        do {
            return await (try make()).run()
        } catch let error as ConfigurationError {
            StandardError.write("\(program): \(error)\n")
            return .usage
        } catch {
            StandardError.write("\(program): \(error)\n")
            return .failure
        }
    }

    package func run() async -> ProcessStatus {
        let signals = await UnixSignalsSequence(trapping: ProcessSignal.trapped)
        return await run(on: signals.map(ProcessSignal.init))
    }

    package func run(on signals: some AsyncSequence<ProcessSignal, Never> & Sendable) async -> ProcessStatus {
        var configuration = ServiceGroupConfiguration(services: services, logger: logger)
        configuration.maximumGracefulShutdownDuration = drainLimit + Self.drainMargin
        let group = ServiceGroup(configuration: configuration)
        // One that comes while the last one is carried out is carried out after it; of several, one is enough.
        let (reloads, reload) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        return await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { for await _ in reloads { reloadNow() } }
            tasks.addTask { await obey(signals, group) { reload.yield() } }
            defer { tasks.cancelAll() }
            do {
                try await group.run()
                return .success
            } catch {
                logger.critical("stopped by an error", metadata: ["error": "\(error)"])
                return .failure
            }
        }
    }

    private func obey(
        _ signals: some AsyncSequence<ProcessSignal, Never>, _ group: ServiceGroup, reload: () -> Void
    ) async {
        await withTaskGroup(of: Void.self) { deadlines in
            var stopping: ContinuousClock.Instant?
            for await signal in signals {
                guard case .stop(let name) = signal else {
                    reload()
                    continue
                }
                if let stopping {
                    if stopping.duration(to: .now) < Self.sameSignal { continue }
                    end("stopped at once by another signal", metadata: ["signal": "\(name)"])
                }
                stopping = .now
                // Before any service hears of it: who asks whether to send work is told no while all still answer.
                readiness?.stop()
                var metadata: Logger.Metadata = ["signal": "\(name)", "limit": "\(drainLimit.text)"]
                let waitsFor = waitsFor()
                if !waitsFor.isEmpty { metadata["waits.for"] = "\(waitsFor)" }
                logger.info("stopping", metadata: metadata)
                await group.triggerGracefulShutdown()
                deadlines.addTask { await endAtDeadline() }
            }
            deadlines.cancelAll()
        }
    }

    private func reloadNow() {
        guard let onReload else { return logger.info("nothing to reload", metadata: ["signal": "SIGHUP"]) }
        logger.info("reloading", metadata: ["signal": "SIGHUP"])
        onReload()
    }

    private func endAtDeadline() async {
        let limit = drainLimit + Self.drainMargin
        do {
            try await Task.sleep(for: limit + cancellationGrace)
        } catch {
            return
        }
        end("services did not stop in time", metadata: ["after": "\(limit.text)"])
    }

    /// Ends the process without running exit handlers, which might wait for the threads that did not stop.
    private func end(_ message: Logger.Message, metadata: Logger.Metadata) -> Never {
        logger.critical(message, metadata: metadata)
        _exit(ProcessStatus.failure.rawValue)
    }
}
