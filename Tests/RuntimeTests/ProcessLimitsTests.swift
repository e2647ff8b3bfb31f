import Foundation
import Glibc
import Runtime
import Testing

@Suite struct ProcessLimitsTests {
    @Test func `a write that cannot be done fails and ends nothing`() throws {
        ProcessLimits.letWritesFail()
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("SigIgn:") })
        let ignored = try #require(line.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) })
        for signal in [SIGPIPE, SIGXFSZ] { #expect(ignored & 1 << UInt64(signal - 1) != 0) }
    }
}
