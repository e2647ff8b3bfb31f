import Foundation
import Glibc
import NIOCore
import OriginPersistence
import OriginStore
import Subprocess
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// What this same test program does as a process of its own, for the tests that need one.
enum Child {
    static let variable = "HEADWATER_PERSISTENCE_CHILD"

    /// Its part and the part's arguments; empty in the tests' own process.
    static let part = (ProcessInfo.processInfo.environment[variable] ?? "").split(separator: "|").map(String.init)

    /// Runs this program's one test of a part; gives its lines to the body, which may kill it.
    /// - Parameter program: what runs it, with its arguments; nothing where it runs by itself.
    static func run(
        _ part: [String], through program: [String] = [],
        _ body: @Sendable @escaping (_ kill: @Sendable () throws -> Void, _ line: String) throws -> Void
    ) async throws -> TerminationStatus {
        let this = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let arguments = [this, "--testing-library", "swift-testing", "--filter", "ChildPartTests"]
        let executable: Executable = program.first.map { .name($0) } ?? .path(FilePath(this))
        let result = try await Subprocess.run(
            executable, arguments: Arguments(Array((program + arguments).dropFirst())),
            environment: .inherit.updating([Environment.Key(stringLiteral: variable): part.joined(separator: "|")]),
            input: .none, output: .sequence, error: .discarded
        ) { execution in
            for try await line in execution.standardOutput.strings() {
                try body({ try execution.send(signal: .kill) }, line)
            }
        }
        return result.terminationStatus
    }

    /// Runs a part on a folder, and expects it to pass.
    static func passes(_ part: String, in folder: String, _ further: String..., through program: [String] = [])
        async throws
    {
        let hasPassed = Atomic(false)
        let status = try await run([part, folder] + further, through: program) { _, line in
            if line == "passed" { hasPassed.store(true, ordering: .relaxed) }
        }
        #expect(status == .exited(0))
        let isPassed = hasPassed.load(ordering: .relaxed)
        #expect(isPassed)
    }

    /// Tells the parent a line.
    static func tell(_ text: String) {
        let bytes = Array((text + "\n").utf8)
        _ = unsafe write(1, bytes, bytes.count)
    }
}
