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

    @Test(
        arguments: [
            ("Name:\tx\nCpus_allowed:\t1\nCpus_allowed_list:\t0\n", 1),
            ("Cpus_allowed:\tff,00000000,0000000f\n", 12), ("Cpus_allowed:\t0\n", nil), ("Name:\tx\n", nil),
        ] as [(String, Int?)])
    func `the affinity mask is counted`(status: String, count: Int?) {
        #expect(Processors.affinityCount(status: status) == count)
    }
}
