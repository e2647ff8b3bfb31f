import FoundationEssentials
import Logging
import ServiceLifecycle
import Testing

import Runtime

@Suite struct ServiceRunnerTests {
    struct Failing: Service {
        struct Broken: Error {}

        func run() async throws { throw Broken() }
    }

    struct Finishing: Service {
        func run() async throws {}
    }

    let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    @Test func `settings that make no sense end with the status for usage`() async {
        let status = await ServiceRunner.main(program: "test") {
            throw ConfigurationError.unreadableFile(path: "a.yaml", reason: "this is a test")
        }
        #expect(status == .usage)
        #expect(status.rawValue == 64)
    }

    @Test func `a start that fails ends with the status for failure`() async {
        let status = await ServiceRunner.main(program: "test") { throw Failing.Broken() }
        #expect(status == .failure)
        #expect(status.rawValue == 1)
    }

    @Test func `a service that throws or ends is a failure`() async {
        #expect(await ServiceRunner(services: [Failing()], logger: logger).run() == .failure)
        #expect(await ServiceRunner(services: [Finishing()], logger: logger).run() == .failure)
    }

    @Test func `there is at least one processor and one open file`() {
        #expect(Processors.available >= 1)
        #expect(ProcessLimits.raiseOpenFiles() >= 1)
        #expect(ProcessLimits.openFiles == ProcessLimits.raiseOpenFiles())
    }

    /// The kernel tells the table's size as `FDSize` (`proc_pid_status(5)`).
    @Test func `the table of open files is as large as it will get`() throws {
        ProcessLimits.growFileTable()
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("FDSize:") })
        let size = try #require(line.split(separator: "\t").last.flatMap { Int($0) })
        #expect(size >= min(ProcessLimits.openFiles, 65_536))
    }

    @Test(
        arguments: [
            ("Name:\tx\nCpus_allowed:\t1\nCpus_allowed_list:\t0\n", 1),
            ("Cpus_allowed:\tff,00000000,0000000f\n", 12), ("Cpus_allowed:\t0\n", nil), ("Name:\tx\n", nil),
        ] as [(String, Int?)])
    func `the affinity mask is counted`(status: String, count: Int?) {
        #expect(Processors.affinityCount(status: status) == count)
    }
}
