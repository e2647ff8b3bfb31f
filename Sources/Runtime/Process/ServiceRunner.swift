import Glibc
package import Logging
package import ServiceLifecycle
import UnixSignals

/// What a process's end says to whoever started it.
package enum ProcessStatus: Int32, Sendable {
    case success = 0
    case failure = 1
    /// `sysexits(3)` EX_USAGE: what it was told to do makes no sense.
    case usage = 64
}

/// Runs a process's services from start to end.
///
/// | event | what happens |
/// |---|---|
/// | a service ends or throws | all are stopped; status 1, with the reason in the log |
/// | the first SIGTERM or SIGINT | readiness goes; services stop one after the other, the last first |
/// | they take longer than they may | they are cancelled; 2 s later the process ends, status 1 |
/// | another SIGTERM or SIGINT, half a second later or more | the process ends at once, status 1 |
package struct ServiceRunner: Sendable {
    /// In the order of their start.
    package var services: [any Service]
    package var readiness: Readiness?
    package var logger: Logger
    /// How long the services may take to stop.
    package var maximumGracefulShutdown: Duration

    /// Signals this close to the first are the same one, sent both by the terminal and by what started the process.
    private static let sameSignal = Duration.milliseconds(500)
    private static let cancellationGrace = Duration.seconds(2)

    package init(
        services: [any Service], readiness: Readiness? = nil, logger: Logger,
        maximumGracefulShutdown: Duration = .seconds(10)
    ) {
        self.services = services
        self.readiness = readiness
        self.logger = logger
        self.maximumGracefulShutdown = maximumGracefulShutdown
    }

    /// Prepares the process, makes its services and runs them until it is told to stop.
    ///
    /// What `make` throws is told on the standard error stream, as the log may not be set up yet: a `ConfigurationError`
    /// gives the status `usage`, all else `failure`.
    package static func main(program: String, _ make: () async throws -> ServiceRunner) async -> ProcessStatus {
        ProcessLimits.ignoreBrokenPipes()
        ProcessLimits.raiseOpenFiles()
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
        var configuration = ServiceGroupConfiguration(services: services, logger: logger)
        configuration.maximumGracefulShutdownDuration = maximumGracefulShutdown
        let group = ServiceGroup(configuration: configuration)
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        return await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await stop(group, on: signals) }
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

    private func stop(_ group: ServiceGroup, on signals: UnixSignalsSequence) async {
        await withTaskGroup(of: Void.self) { deadlines in
            var stopping: ContinuousClock.Instant?
            for await signal in signals {
                if let stopping {
                    if stopping.duration(to: .now) < Self.sameSignal { continue }
                    end("stopped at once by another signal", metadata: ["signal": "\(signal)"])
                }
                stopping = .now
                logger.info("stopping", metadata: ["signal": "\(signal)"])
                readiness?.set(false)
                await group.triggerGracefulShutdown()
                deadlines.addTask { await endAtDeadline() }
            }
            deadlines.cancelAll()
        }
    }

    private func endAtDeadline() async {
        do {
            try await Task.sleep(for: maximumGracefulShutdown + Self.cancellationGrace)
        } catch {
            return
        }
        end("services did not stop in time", metadata: ["after": "\(maximumGracefulShutdown.text)"])
    }

    /// Ends the process without running exit handlers, which might wait for the threads that did not stop.
    private func end(_ message: Logger.Message, metadata: Logger.Metadata) -> Never {
        logger.critical(message, metadata: metadata)
        _exit(ProcessStatus.failure.rawValue)
    }
}
