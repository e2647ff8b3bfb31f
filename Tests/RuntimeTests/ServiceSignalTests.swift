import Glibc
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import Testing

import Runtime

/// What a running process does when it is told something.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct ServiceSignalTests {
    /// Runs until it is told to stop, and then does what it was given.
    struct Draining: Service {
        var started: @Sendable () -> Void = {}
        var drain: @Sendable () async throws -> Void = {}

        func run() async throws {
            started()
            try await gracefulShutdown()
            try await drain()
        }
    }

    let log = LogLines()
    let readiness = Readiness(isReady: true)

    /// Runs the services; `body` sends the signals, and the last one is a stop.
    func run(
        _ service: any Service, drainLimit: Duration = .seconds(7), cancellationGrace: Duration = .seconds(2),
        waitsFor: String = "", onReload: (@Sendable () -> Void)? = nil, _ signals: [ProcessSignal]
    ) async -> ProcessStatus {
        let (stream, continuation) = AsyncStream.makeStream(of: ProcessSignal.self)
        for signal in signals { continuation.yield(signal) }
        return await ServiceRunner(
            services: [service], readiness: readiness, logger: log.logger, drainLimit: drainLimit,
            cancellationGrace: cancellationGrace, waitsFor: { waitsFor }, onReload: onReload
        ).run(on: stream)
    }

    @Test func `it is not ready any more before any service hears that it stops, and never again`() async {
        let seen = Mutex<Bool?>(nil)
        let service = Draining(drain: { [readiness] in
            readiness.set(true)
            seen.withLock { $0 = readiness.isReady }
        })
        #expect(await run(service, [.stop(name: "SIGTERM")]) == .success)
        #expect(seen.withLock { $0 } == false)
    }

    @Test func `the admin endpoint answers that it is not ready until the service has stopped`() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let admin = AdminServer(
            address: HostAndPort(host: "127.0.0.1", port: 0), metrics: MetricsRegistry(), readiness: readiness,
            logger: log.logger, eventLoopGroup: group)
        let answers = Mutex<[String]>([])
        let (stream, signals) = AsyncStream.makeStream(of: ProcessSignal.self)
        let ask = { @Sendable [log] in
            let line = try await log.line(with: "admin.address=")
            let address = HostAndPort(String(line.split(separator: "=").last ?? ""))
            let socket = try address.map { try SocketAddress(ipAddress: $0.host, port: $0.port) }
            let answer = try await RawClient(to: socket, on: group)
                .exchange("GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n")
            answers.withLock { $0.append(String(answer.prefix { $0 != "\r\n" })) }
        }
        let asking = Asking(ask: ask) { signals.yield(.stop(name: "SIGTERM")) }
        let runner = ServiceRunner(services: [admin, asking], readiness: readiness, logger: log.logger)
        #expect(await runner.run(on: stream) == .success)
        #expect(answers.withLock { $0 } == ["HTTP/1.1 200 OK", "HTTP/1.1 503 Service Unavailable"])
    }

    /// Asks while it runs and while it drains.
    struct Asking: Service {
        let ask: @Sendable () async throws -> Void
        let asked: @Sendable () -> Void

        func run() async throws {
            try await ask()
            asked()
            try await gracefulShutdown()
            try await ask()
        }
    }

    @Test func `it says that it stops, for what and how long it waits`() async throws {
        let status = await run(
            Draining(), drainLimit: .seconds(90), waitsFor: "2 responses", [.stop(name: "SIGINT")])
        #expect(status == .success)
        #expect(
            try await log.line(with: "stopping") == #"info stopping limit=90s signal=SIGINT waits.for="2 responses""#)
    }

    @Test func `a service may take as long as its limit and some more, then it is cancelled`() async {
        let clock = ContinuousClock()
        let start = clock.now
        let service = Draining(drain: { try await Task.sleep(for: .seconds(600)) })
        _ = await run(
            service, drainLimit: .seconds(-3) + .milliseconds(50), cancellationGrace: .seconds(600),
            [.stop(name: "SIGTERM")])
        #expect(clock.now - start < .seconds(30))
        #expect(ServiceRunner.drainMargin == .seconds(3))
    }

    @Test func `a reload runs what was given, and the service goes on`() async throws {
        let reloads = Mutex(0)
        let (stream, signals) = AsyncStream.makeStream(of: ProcessSignal.self)
        signals.yield(.reload)
        let runner = ServiceRunner(
            services: [Draining()], readiness: readiness, logger: log.logger,
            onReload: {
                reloads.withLock { $0 += 1 }
                signals.yield(.stop(name: "SIGTERM"))
            })
        #expect(await runner.run(on: stream) == .success)
        #expect(reloads.withLock { $0 } == 1)
        #expect(try await log.line(with: "reloading") == "info reloading signal=SIGHUP")
    }

    @Test func `a reload never runs beside itself, and one that comes meanwhile follows`() async {
        struct Reload { var running = 0, most = 0, count = 0 }
        let state = Mutex(Reload())
        let (stream, signals) = AsyncStream.makeStream(of: ProcessSignal.self)
        signals.yield(.reload)
        let reload = { @Sendable in
            let count = state.withLock { state in
                state.running += 1
                state.most = max(state.most, state.running)
                state.count += 1
                return state.count
            }
            if count == 1 { for _ in 0..<5 { signals.yield(.reload) } }
            // Gives those a chance to run that must not.
            for _ in 0..<1_000 { sched_yield() }
            state.withLock { $0.running -= 1 }
            if count == 2 { signals.yield(.stop(name: "SIGTERM")) }
        }
        let runner = ServiceRunner(
            services: [Draining()], readiness: readiness, logger: log.logger, onReload: reload)
        #expect(await runner.run(on: stream) == .success)
        let most = state.withLock { $0.most }
        let count = state.withLock { $0.count }
        #expect(most == 1)
        #expect(count >= 2)
    }

    @Test func `a process with nothing to read again says so, and goes on`() async throws {
        let (stream, signals) = AsyncStream.makeStream(of: ProcessSignal.self)
        signals.yield(.reload)
        let runner = ServiceRunner(services: [Draining()], readiness: readiness, logger: log.logger)
        try await withThrowingTaskGroup(of: ProcessStatus.self) { tasks in
            tasks.addTask { await runner.run(on: stream) }
            #expect(try await log.line(with: "reload") == "info nothing to reload signal=SIGHUP")
            #expect(readiness.isReady)
            signals.yield(.stop(name: "SIGTERM"))
            let status = try await tasks.next()
            #expect(status == .success)
        }
    }

    @Test func `the system's SIGHUP is a reload`() async throws {
        let (stream, started) = AsyncStream.makeStream(of: Void.self)
        let (reloaded, reload) = AsyncStream.makeStream(of: Void.self)
        let runner = ServiceRunner(
            services: [Draining(started: { started.yield() })], readiness: readiness, logger: log.logger,
            onReload: { reload.yield() })
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { _ = await runner.run() }
            // The runner takes signals before it starts services: from here on none ends this process.
            for await _ in stream { break }
            kill(getpid(), SIGHUP)
            for await _ in reloaded { break }
            tasks.cancelAll()
        }
        #expect(try await log.line(with: "reloading") == "info reloading signal=SIGHUP")
    }
}
