import Foundation
import Glibc
import NIOCore
import OriginPersistence
import OriginStore
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// What this same test program does as a process of its own, for the tests that need one.
enum Child {
    static let variable = "HEADWATER_PERSISTENCE_CHILD"

    /// Its part and the part's arguments; empty in the tests' own process.
    static let part = (ProcessInfo.processInfo.environment[variable] ?? "").split(separator: "|").map(String.init)

    /// Runs this program's one test of a part; gives its lines to the body, which may kill it.
    static func run(
        _ part: [String],
        _ body: @Sendable @escaping (_ kill: @Sendable () throws -> Void, _ line: String) throws -> Void
    ) async throws -> TerminationStatus {
        let arguments = ["--testing-library", "swift-testing", "--filter", "ChildPartTests"]
        let result = try await Subprocess.run(
            .path("/proc/self/exe"), arguments: Arguments(arguments),
            environment: .inherit.updating([Environment.Key(stringLiteral: variable): part.joined(separator: "|")]),
            input: .none, output: .sequence, error: .discarded
        ) { execution in
            for try await line in execution.standardOutput.strings() {
                try body({ try execution.send(signal: .kill) }, line)
            }
        }
        return result.terminationStatus
    }

    /// Tells the parent a line.
    static func tell(_ text: String) {
        let bytes = Array((text + "\n").utf8)
        _ = unsafe write(1, bytes, bytes.count)
    }
}
