import Foundation
import Glibc
import NIOCore
import OriginPersistence
import OriginStore
import Subprocess
import SystemPackage
import Testing

/// What the disk is made to take, as the system saw it asked for.
@Suite(.timeLimit(.minutes(1))) struct SynchronisingTests {
    private static let isTraceable: Bool = {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/strace") }
    }()

    /// The calls of a process that keeps one object, one a line, with their files' paths.
    private func calls(sync: DataDirectoryConfiguration.SyncPolicy, in folder: String) async throws -> [String] {
        let trace = folder + "/trace"
        try await Child.passes(
            "synchronising", in: folder, sync.rawValue,
            through: [
                "strace", "-f", "-y", "-qq", "-e", "trace=fsync,fdatasync,?rename,renameat,renameat2", "-o", trace,
            ])
        return try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    @Test(.enabled(if: isTraceable, "strace is not installed"))
    func `an object that counts as kept outlives a loss of power`() async throws {
        try await withTemporaryFolder { folder in
            let calls = try await calls(sync: .always, in: folder)
            let data = folder + "/made/here"
            let name = ObjectFileName(key("/live/a.ts"))
            func synchronised(_ path: String) -> Int? {
                calls.firstIndex { $0.contains("fsync(") && $0.contains("<\(path)>)") && $0.hasSuffix("= 0") }
            }
            let renamed = try #require(calls.firstIndex { $0.contains("rename") && $0.contains(name.path + "\"") })
            // Its bytes, before it has its name; then its name, and those of all folders it is in that are new.
            #expect(try #require(synchronised("\(data)/\(name.path).part")) < renamed)
            #expect(try #require(synchronised("\(data)/\(name.folder)")) > renamed)
            #expect(try #require(synchronised(data)) > renamed)
            #expect(synchronised(folder + "/made") != nil)
            #expect(synchronised(folder) != nil)
        }
    }

    @Test(.enabled(if: isTraceable, "strace is not installed"))
    func `nothing waits for the disk where it need not`() async throws {
        try await withTemporaryFolder { folder in
            let calls = try await calls(sync: .never, in: folder)
            #expect(calls.contains { $0.contains("rename") })
            #expect(!calls.contains { $0.contains("sync(") })
        }
    }

    @Test func `a folder that was made is told of, whatever becomes of the file`() async throws {
        try await withTemporaryFolder { folder in try await Child.passes("foldermaker", in: folder) }
    }
}

@Suite(.enabled(if: !Child.part.isEmpty, "played in a process of its own")) struct SynchronisingChildPartTests {
    @Test(.enabled(if: Child.part.first == "synchronising")) func `keeps one object`() async throws {
        let sync = try #require(DataDirectoryConfiguration.SyncPolicy(rawValue: Child.part[2]))
        let kept = try Kept(Child.part[1] + "/made/here") { $0.sync = sync }
        try await kept.run { kept.directory.stored(object("/live/a.ts", "body")) }
        #expect(kept.metrics["objects.written"] == 1)
        Child.tell("passed")
    }

    @Test(.enabled(if: Child.part.first == "foldermaker")) func `makes a folder and no file`() throws {
        let folder = try DataFolder(Child.part[1])
        signal(SIGXFSZ, SIG_IGN)
        limitFiles(bytes: 0)
        var made = 0
        let name = ObjectFileName(key("/live/a.ts"))
        #expect(throws: Errno.fileTooLarge) {
            try folder.write(
                ByteBuffer(string: "start"), .bytes(ByteBuffer()), as: name, isSynchronised: false
            ) { made += 1 }
        }
        #expect(made == 1)
        Child.tell("passed")
    }
}

/// Sets how large a file this process may write.
func limitFiles(bytes: Int) {
    var limit = rlimit()
    let kind = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
    _ = unsafe getrlimit(kind, &limit)
    limit.rlim_cur = rlim_t(bytes)
    _ = unsafe setrlimit(kind, &limit)
}
