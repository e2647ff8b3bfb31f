import FoundationEssentials
import Subprocess
import SystemPackage
import Testing

/// Both services, running on free ports of this host.
struct Services: Sendable {
    let ingestLog: ServiceLog
    let originLog: ServiceLog
    let ingestProcess: ProcessIdentifier
    let originProcess: ProcessIdentifier
    /// `rtmp://127.0.0.1:PORT`.
    let rtmp: String
    /// `http://127.0.0.1:PORT`.
    let http: String
    let ingestMetrics: String
    let originMetrics: String

    var rtmpPort: Int { Int(rtmp.split(separator: ":").last ?? "") ?? 0 }
    var httpPort: Int { Int(http.split(separator: ":").last ?? "") ?? 0 }
}

/// Runs both services for as long as the body takes; both must end by themselves when told to. What the ingest reads as
/// its standard input, if anything, is closed here.
func withServices<Result: Sendable>(
    ingest ingestFlags: [String] = [], origin originFlags: [String] = [], ingestInput: FileDescriptor? = nil,
    _ body: (Services) async throws -> Result
) async throws -> Result {
    try await withService(
        "headwater-origin", ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"] + originFlags
    ) { originLog, originProcess in
        let http = "http://" + (try await originLog.value("address", ofLine: "info listening "))
        let originMetrics = "http://" + (try await originLog.value("admin.address", ofLine: "admin endpoint listening"))
        let flags = ["--rtmp-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--origin", http]
        return try await withService("headwater-ingest", flags + ingestFlags, input: ingestInput) {
            ingestLog, ingestProcess in
            let rtmp = "rtmp://" + (try await ingestLog.value("address", ofLine: "listening for RTMP"))
            let ingestMetrics =
                "http://" + (try await ingestLog.value("admin.address", ofLine: "admin endpoint listening"))
            return try await body(
                Services(
                    ingestLog: ingestLog, originLog: originLog, ingestProcess: ingestProcess,
                    originProcess: originProcess, rtmp: rtmp, http: http, ingestMetrics: ingestMetrics,
                    originMetrics: originMetrics))
        }
    }
}

/// How a program that is run for a test has to end.
enum ProgramEnd {
    /// With 0, told to when the body is over.
    case told
    /// So, and by what the body has done.
    case byItself(TerminationStatus)
}

/// Runs one service; gives its log as it is written.
func withService<Result: Sendable>(
    _ name: String, _ flags: [String], input: FileDescriptor? = nil, end: ProgramEnd = .told,
    _ body: (ServiceLog, ProcessIdentifier) async throws -> Result
) async throws -> Result {
    try await withProgram(service(name), flags, input: input, end: end, body)
}

private func service(_ name: String) throws -> Executable {
    let folder = try #require(
        ProcessInfo.processInfo.environment["HEADWATER_BIN"],
        "HEADWATER_BIN must name the folder of the services: run `make test`")
    return .path(FilePath("\(folder)/\(name)"))
}

/// Runs a service that is to end by itself; gives how it did, and what it wrote as its standard error.
func endOfService(_ name: String, _ flags: [String]) async throws -> (status: TerminationStatus, text: String) {
    let program = try service(name)
    return try await withDeadline(.seconds(120), or: NotSo(description: "it has not ended: \(name) \(flags)")) {
        let result = try await run(
            program, arguments: Arguments(flags), environment: .inherit.updating(["HEADWATER_BIN": nil]),
            output: .discarded, error: .string(limit: 1 << 20))
        return (status: result.terminationStatus, text: result.standardError)
    }
}

/// Runs a program for as long as the body takes; gives what it writes as its standard error.
func withProgram<Result: Sendable>(
    _ program: Executable, _ arguments: [String], input: FileDescriptor? = nil, end: ProgramEnd = .told,
    _ body: (ServiceLog, ProcessIdentifier) async throws -> Result
) async throws -> Result {
    var options = PlatformOptions()
    options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(15))]
    let input = try input ?? FileDescriptor.open(FilePath("/dev/null"), .readOnly)
    let result = try await run(
        program, arguments: Arguments(arguments),
        environment: .inherit.updating(["HEADWATER_BIN": nil]), platformOptions: options,
        input: .fileDescriptor(input, closeAfterSpawningProcess: true),
        output: .discarded, error: .sequence
    ) { execution in
        let log = ServiceLog()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            let lines = execution.standardError.strings()
            group.addTask {
                for try await line in lines { log.append(line) }
                log.close()
            }
            do {
                let value = try await body(log, execution.processIdentifier)
                if case .told = end { try execution.send(signal: .terminate) }
                // Throws where it does not end in time.
                try await log.untilClosed()
                try await group.waitForAll()
                return value
            } catch {
                try? execution.send(signal: .kill)
                throw error
            }
        }
    }
    let expected = if case .byItself(let status) = end { status } else { TerminationStatus.exited(0) }
    #expect(result.terminationStatus == expected, "\(program) did not end as it should")
    return result.closureResult
}

extension ServiceLog {
    /// The value of a key in the first line with a text.
    func value(_ key: String, ofLine text: String) async throws -> String {
        let line = try await line(with: text)
        let field = line.split(separator: " ").first { $0.hasPrefix("\(key)=") }
        return String(try #require(field).dropFirst(key.count + 1))
    }
}
