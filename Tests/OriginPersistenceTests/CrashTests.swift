import Foundation
import Glibc
import NIOCore
import OriginPersistence
import OriginStore
import Subprocess
import Synchronization
import TestSupport
import Testing

/// What a child is about to tell its data directory, in a file that outlives it.
private struct Journal {
    enum Line: Equatable {
        /// A version of an object, or nil for its removal.
        case change(Int, version: Int?)
        /// Everything above was flushed.
        case flushed
    }

    private let descriptor: Int32

    init(_ path: String) { descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND, 0o600) }

    func write(_ lines: [Line]) {
        let texts = lines.map { line in
            switch line {
            case .change(let index, let version): "\(index) \(version ?? -1)\n"
            case .flushed: "flushed\n"
            }
        }
        let bytes = Array(texts.joined().utf8)
        _ = unsafe Glibc.write(descriptor, bytes, bytes.count)
    }

    /// Whole lines; the last one may have been cut.
    static func read(_ path: String) throws -> [Line] {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map { line in
            let numbers = line.split(separator: " ").compactMap { Int($0) }
            guard numbers.count == 2 else { return .flushed }
            return .change(numbers[0], version: numbers[1] < 0 ? nil : numbers[1])
        }
    }
}

/// Objects that follow from their number and version, so that a byte that is not theirs is noticed.
private func madeObject(_ index: Int, version: Int) -> StoredObject {
    var random = RandomNumbers(seed: UInt64(index) << 32 | UInt64(version))
    var body = ByteBuffer(string: "\(index) \(version)\n")
    body.writeRepeatingByte(UInt8(truncatingIfNeeded: version), count: Int.random(in: 0..<600_000, using: &random))
    return object(path(index), body, version: version)
}

private func path(_ index: Int) -> String { index < 4 ? "/live/\(index).m3u8" : "/live/\(index).ts" }

/// The parts that a process of its own plays for the tests below.
@Suite(.enabled(if: !Child.part.isEmpty, "played in a process of its own")) struct ChildPartTests {
    @Test(.enabled(if: Child.part.first == "writer")) func `writes until it is killed`() async throws {
        let kept = try Kept(Child.part[1])
        _ = kept.load()
        let journal = Journal(Child.part[2])
        var version = try #require(Int(Child.part[3]))
        var random = RandomNumbers(seed: UInt64(version))
        let running = Task { try await kept.directory.run() }
        while true {
            let changes = (0..<Int.random(in: 1...12, using: &random)).map { _ in
                version += 1
                let index = Int.random(in: 0..<24, using: &random)
                return Journal.Line.change(index, version: random.oneIn(5) ? nil : version)
            }
            journal.write(changes)
            for case .change(let index, let version) in changes {
                if let version {
                    kept.directory.stored(madeObject(index, version: version))
                } else {
                    kept.directory.removed(key(path(index)))
                }
            }
            // The parent kills while this is written.
            Child.tell("burst")
            if random.oneIn(3) {
                await kept.directory.flush()
                journal.write([.flushed])
            }
            guard version < 10_000_000 else { break }
        }
        running.cancel()
    }

    @Test(.enabled(if: Child.part.first == "limited"), .timeLimit(.minutes(1)))
    func `meets the limit on the size of files`() async throws {
        let kept = try Kept(Child.part[1])
        try await kept.run {
            limitFiles(bytes: 100_000)
            kept.directory.stored(object("/small.ts", "small"))
            await kept.directory.flush()
            #expect(kept.metrics["objects.written"] == 1)
            kept.directory.stored(object("/large.ts", ByteBuffer(repeating: 1, count: 1 << 20)))
            try await kept.metrics.wait(for: "degraded", 1)
            // A second later it is tried again.
            #expect(kept.metrics["failures"] >= 1)
            limitFiles(bytes: 1 << 30)
            try await kept.metrics.wait(for: "degraded", 0)
            kept.directory.stored(object("/large.ts", ByteBuffer(repeating: 1, count: 1 << 20)))
        }
        #expect(kept.metrics["objects.written"] == 2)
        Child.tell("passed")
    }

    @Test(.enabled(if: Child.part.first == "stranger")) func `is not let in`() async throws {
        let folder = Child.part[1]
        if getuid() == 0 { #expect(setuid(65_534) == 0) }
        #expect(
            throws: DataDirectoryError.notMade(path: folder + "/below/here", reason: "Permission denied")
        ) { try Kept(folder + "/below/here") }
        #expect(throws: DataDirectoryError.notWritable(path: folder, reason: "Permission denied")) {
            try Kept(folder)
        }
        Child.tell("passed")
    }
}

@Suite struct CrashTests {
    /// What a key may be found as: versions, or nil for nothing.
    typealias Possible = [Int: [Int?]]

    /// Each kill goes on from what the one before left.
    @Test(.timeLimit(.minutes(10))) func `killed at any moment, it leaves whole objects and all that were flushed`()
        async throws
    {
        try await withTemporaryFolder { folder in
            var random = RandomNumbers(seed: .random(in: 0...UInt64.max))
            let data = folder + "/data"
            var found: [Int: Int] = [:]
            var lines = 0
            var partial = 0
            for run in 1...50 {
                let bursts = Int.random(in: 1...25, using: &random)
                let heard = Atomic(0)
                let status = try await Child.run(["writer", data, folder + "/journal", "\(run * 100_000)"]) {
                    kill, line in
                    if line == "burst", heard.add(1, ordering: .relaxed).newValue == bursts { try kill() }
                }
                guard case .signaled(SIGKILL) = status else {
                    Issue.record("the child ended by itself: \(status)")
                    return
                }
                partial += try objectFiles(in: data).count { $0.hasSuffix(".part") }
                let journal = try Journal.read(folder + "/journal")
                let possible = possible(after: Array(journal.dropFirst(lines)), from: found)
                lines = journal.count

                let kept = try Kept(data)
                found = [:]
                for object in kept.load() {
                    let index = try #require((0..<24).first { path($0) == object.key.path })
                    let version = try #require(object.head.lastModified) - 1_700_000_000
                    #expect(object == madeObject(index, version: version))
                    found[index] = version
                }
                // Nothing on disk was damaged: it was there whole or not at all.
                #expect(kept.metrics["objects.corrupt"] == 0)
                for (index, versions) in possible {
                    #expect(versions.contains(found[index]), "run \(run): \(path(index)) is not one of \(versions)")
                }
                #expect(try objectFiles(in: data).allSatisfy { $0.hasSuffix(".object") })
            }
            print(
                "killed 50 times: \(lines) changes, \(found.count) objects at the end, \(partial) files cut while written"
            )
        }
    }

    private func possible(after journal: [Journal.Line], from found: [Int: Int]) -> Possible {
        var possible: Possible = [:]
        for index in 0..<24 { possible[index] = [found[index]] }
        for line in journal {
            switch line {
            case .change(let index, let version): possible[index]?.append(version)
            case .flushed: possible = possible.mapValues { $0.suffix(1) }
            }
        }
        return possible
    }

    @Test(.timeLimit(.minutes(1))) func `a file beyond the process's limit is an error, not the process's end`()
        async throws
    {
        try await withTemporaryFolder { folder in try await Child.passes("limited", in: folder) }
    }

    @Test(.timeLimit(.minutes(1))) func `a folder that is another user's is refused with the reason`() async throws {
        try await withTemporaryFolder { folder in
            try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: folder)
            try await Child.passes("stranger", in: folder)
        }
    }
}
