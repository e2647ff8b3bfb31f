import Foundation
import NIOCore
import OriginPersistence
import OriginStore
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct DataDirectoryTests {
    @Test(arguments: DataDirectoryConfiguration.SyncPolicy.allCases)
    func `what was stored is there at the next start`(sync: DataDirectoryConfiguration.SyncPolicy) async throws {
        try await withTemporaryFolder { folder in
            let objects = [
                object("/live/a.ts", "a", version: 1), object("/live/b.ts", "", version: 2, epoch: 9),
                object("/live/p.m3u8", "#EXTM3U\n", version: 1, epoch: 9),
            ]
            let folder = folder + "/made/here"
            // A directory's lock goes with its last use.
            try await {
                let kept = try Kept(folder) { $0.sync = sync }
                #expect(kept.load().isEmpty)
                try await kept.run { for object in objects.reversed() { kept.directory.stored(object) } }
                #expect(kept.metrics["objects.written"] == 3)
                #expect(kept.metrics["queued.bytes"] == 0)
                #expect(kept.metrics["failures"] == 0)
                let sizes = try objectFiles(in: folder).map { try Data(contentsOf: URL(filePath: $0)).count }
                #expect(kept.metrics["written.bytes"] == Int64(sizes.reduce(0, +)))
            }()
            let kept = try Kept(folder)
            // Media before playlists, oldest first.
            #expect(kept.load() == objects)
            #expect(kept.metrics["objects.restored"] == 3)
            #expect(kept.metrics["objects.corrupt"] == 0)
        }
    }

    @Test func `what was replaced or removed stays so`() async throws {
        try await withTemporaryFolder { folder in
            try await {
                let kept = try Kept(folder)
                try await kept.run {
                    for path in ["/a.ts", "/b.ts", "/p.m3u8"] { kept.directory.stored(object(path, "old")) }
                    await kept.directory.flush()
                    kept.directory.stored(object("/p.m3u8", "new", version: 2))
                    kept.directory.removed(key("/a.ts"))
                    kept.directory.removed(key("/never.ts"))
                }
            }()
            try await {
                let kept = try Kept(folder)
                #expect(kept.load().texts == ["/b.ts": "old", "/p.m3u8": "new"])
                // The store did not take it.
                kept.directory.removed(key("/b.ts"))
                try await kept.run {}
            }()
            #expect(try loaded(folder).texts == ["/p.m3u8": "new"])
        }
    }

    /// Replacements and removals in any order, with the thread at work.
    @Test(arguments: 1...8)
    func `the last change wins`(seed: UInt64) async throws {
        try await withTemporaryFolder { folder in
            let expected = try await {
                let kept = try Kept(folder)
                return try await kept.run {
                    var random = RandomNumbers(seed: seed)
                    var expected: [String: String] = [:]
                    for version in 0..<2_000 {
                        let path = "/live/\(Int.random(in: 0..<10, using: &random)).ts"
                        if random.oneIn(3) {
                            expected[path] = nil
                            kept.directory.removed(key(path))
                        } else {
                            expected[path] = "\(version)"
                            kept.directory.stored(object(path, "\(version)", version: version))
                        }
                        if random.oneIn(500) { await kept.directory.flush() }
                    }
                    return expected
                }
            }()
            #expect(try loaded(folder).texts == expected)
            #expect(try objectFiles(in: folder).count == expected.count)
        }
    }

    @Test func `more than waits may wait is dropped without delay, and counted`() async throws {
        try await withTemporaryFolder { folder in
            try await {
                let kept = try Kept(folder) { $0.queueLimitBytes = 10_000 }
                // Nobody writes yet.
                for index in 0..<100 { kept.directory.stored(object("/\(index).ts", "0123456789")) }
                let waiting = 10_000 / (512 + 10)
                #expect(kept.metrics["objects.dropped/full"] == Int64(100 - waiting))
                #expect(kept.metrics["queued.bytes"] == Int64(waiting * (512 + 10)))
                try await kept.run {}
                #expect(kept.metrics["objects.written"] == Int64(waiting))
            }()
            #expect(try loaded(folder).count == 10_000 / (512 + 10))
        }
    }

    @Test func `past the stop limit nothing is written, and nothing old left`() async throws {
        try await withTemporaryFolder { folder in
            try await {
                let kept = try Kept(folder)
                try await kept.run { kept.directory.stored(object("/p.m3u8", "old")) }
            }()
            try await {
                let kept = try Kept(folder) { $0.stopLimit = .zero }
                #expect(kept.load().count == 1)
                kept.directory.stored(object("/p.m3u8", "new", version: 2))
                kept.directory.stored(object("/a.ts", "a"))
                // It is to stop before it has begun.
                let stopping = Task {
                    while !Task.isCancelled { await Task.yield() }
                    try await kept.directory.run()
                }
                stopping.cancel()
                try await stopping.value
                #expect(kept.metrics["objects.written"] == 0)
                #expect(kept.metrics["objects.dropped/stopped"] == 2)
                kept.directory.stored(object("/b.ts", "b"))
                #expect(kept.metrics["objects.dropped/stopped"] == 3)
                // Returns at once.
                await kept.directory.flush()
            }()
            #expect(try !loaded(folder).contains(object("/p.m3u8", "old")))
        }
    }

    @Test func `an object whose header cannot be written is dropped alone`() async throws {
        try await withTemporaryFolder { folder in
            try await {
                let kept = try Kept(folder)
                try await kept.run {
                    kept.directory.stored(object("/a.ts", "old"))
                    kept.directory.stored(object("/b.ts", "b"))
                    await kept.directory.flush()
                    var unfit = object("/a.ts", "new")
                    unfit.head.contentType = "video/mp2t\r\n"
                    kept.directory.stored(unfit)
                }
                #expect(kept.metrics["objects.dropped/unfit"] == 1)
                #expect(kept.metrics["failures"] == 0)
            }()
            #expect(try loaded(folder).texts == ["/b.ts": "b"])
        }
    }

    @Test func `over the limit the newest are read, playlists first, and the rest removed`() async throws {
        try await withTemporaryFolder { folder in
            try await {
                let kept = try Kept(folder)
                try await kept.run {
                    for version in 1...9 {
                        kept.directory.stored(object("/\(version).ts", "0123456789", version: version))
                    }
                    kept.directory.stored(object("/p.m3u8", "0123456789", version: 0))
                }
            }()
            try {
                let kept = try Kept(folder)
                let read = kept.load(limitBytes: 35).map(\.key.path)
                #expect(read == ["/8.ts", "/9.ts", "/p.m3u8"])
                #expect(kept.metrics["objects.corrupt"] == 0)
            }()
            #expect(try loaded(folder).count == 3)
        }
    }

    @Test func `files that are no whole objects are removed, counted and told of once`() async throws {
        try await withTemporaryFolder { folder in
            try await {
                let kept = try Kept(folder)
                try await kept.run {
                    for index in 0..<6 { kept.directory.stored(object("/\(index).ts", "0123456789")) }
                }
            }()
            let files = try objectFiles(in: folder).sorted()
            try Data("no object".utf8).write(to: URL(filePath: files[0]))
            try Data().write(to: URL(filePath: files[1]))
            try Data(contentsOf: URL(filePath: files[2])).dropLast().write(to: URL(filePath: files[2]))
            // A whole object under another one's name.
            try Data(contentsOf: URL(filePath: files[4])).write(to: URL(filePath: files[3]))
            // What a crash leaves, and what somebody put there.
            let partial = files[5] + ".part"
            try Data("part".utf8).write(to: URL(filePath: partial))
            let note = String(files[5].prefix { $0 != "." }.prefix(folder.count + 3)) + "/note"
            try Data("note".utf8).write(to: URL(filePath: note))

            try {
                let kept = try Kept(folder)
                #expect(kept.load().count == 2)
                #expect(kept.metrics["objects.corrupt"] == 4)
                #expect(kept.log.count("warning damaged files were found") == 1)
            }()
            #expect(try objectFiles(in: folder).sorted() == [files[4], files[5]])
            #expect(FileManager.default.fileExists(atPath: note))
        }
    }

    @Test func `a FIFO or a folder in a file's place holds nothing up`() async throws {
        try await withTemporaryFolder { folder in
            try await {
                let kept = try Kept(folder)
                try await kept.run {
                    for index in 0..<2 { kept.directory.stored(object("/\(index).ts", "x")) }
                }
            }()
            let files = try objectFiles(in: folder)
            for file in files { try FileManager.default.removeItem(atPath: file) }
            #expect(unsafe mkfifo(files[0], 0o600) == 0)
            try FileManager.default.createDirectory(atPath: files[1], withIntermediateDirectories: false)
            #expect(try loaded(folder).isEmpty)
            try await {
                let kept = try Kept(folder)
                try await kept.run { for index in 0..<1 { kept.directory.stored(object("/\(index).ts", "x")) } }
            }()
        }
    }
}

@Suite struct DataDirectoryOpeningTests {
    private func refusal(_ path: String) -> DataDirectoryError? {
        do {
            _ = try Kept(path)
            return nil
        } catch {
            return error as? DataDirectoryError
        }
    }

    @Test func `two origins never share a folder`() async throws {
        try await withTemporaryFolder { folder in
            let kept = try Kept(folder)
            let error = refusal(folder)
            #expect(error == .inUse(path: folder, process: Int(getpid())))
            #expect(error?.description.contains("in use by another origin (process \(getpid()))") == true)
            withExtendedLifetime(kept) {}
        }
    }

    @Test func `a folder is free again when its origin has ended`() async throws {
        try await withTemporaryFolder { folder in
            #expect(refusal(folder) == nil)
            #expect(refusal(folder) == nil)
        }
    }

    @Test func `a folder of something else is not taken`() async throws {
        try await withTemporaryFolder { folder in
            try Data().write(to: URL(filePath: folder + "/photo.jpg"))
            #expect(refusal(folder) == .foreign(path: folder, found: "photo.jpg"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["photo.jpg"])
        }
    }

    @Test func `an empty file system of its own is taken`() async throws {
        try await withTemporaryFolder { folder in
            try FileManager.default.createDirectory(atPath: folder + "/lost+found", withIntermediateDirectories: false)
            #expect(refusal(folder) == nil)
        }
    }

    @Test func `a path that cannot be a folder is refused with the reason`() async throws {
        try await withTemporaryFolder { folder in
            let file = folder + "/file"
            try Data().write(to: URL(filePath: file))
            #expect(refusal(file) == .notOpened(path: file, reason: "Not a directory"))
            #expect(refusal(file + "/below") == .notMade(path: file + "/below", reason: "Not a directory"))
            #expect(refusal("") == .notMade(path: "", reason: "No such file or directory"))
            // Nobody makes folders there, root neither.
            #expect(
                refusal("/proc/headwater") == .notMade(path: "/proc/headwater", reason: "No such file or directory"))
        }
    }
}
