import Foundation
import NIOCore
import OriginPersistence
import OriginStore
import TestSupport
import Testing

/// What a store held is in the store of the next start.
@Suite(.timeLimit(.minutes(1))) struct RestoringTests {
    /// A process's peak of memory, that of files in memory not counted, in bytes.
    static func peakBytes() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(line.split(separator: " ").compactMap { Int($0) }.first) << 10
    }

    static let now = NIODeadline.uptimeNanoseconds(0)
    static let objectCount = 32
    static let objectBytes = 4 << 20

    static func restore(_ kept: Kept, into store: ObjectStore) -> (objects: Int, playlists: Int) {
        kept.directory.load(limitBytes: store.configuration.memoryLimitBytes) { found, read in
            store.restore(found, now: now, unixTime: 1_700_000_010, read: read)
        }
    }

    /// Bodies of more than one piece, and of less than one page.
    @Test func `bodies go from memory to disk and back, however large`() async throws {
        try await withTemporaryFolder { folder in
            let sizes = [0, 1, 16_383, 16_384, 1 << 20, (3 << 20) + 5]
            var random = RandomNumbers(seed: 1)
            let bodies = sizes.map { size in
                ByteBuffer(bytes: (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) })
            }
            try await {
                let kept = try Kept(folder)
                try await kept.run {
                    let store = ObjectStore(configuration: StoreConfiguration(), journal: kept.directory)
                    for (size, body) in zip(sizes, bodies) {
                        let head = ObjectHead(contentType: "video/mp2t", entityTag: "\"\(size)\"")
                        var upload = try store.open(key("/live/\(size).ts"), head: head, epoch: nil, now: Self.now)
                        try store.append(body, to: &upload, now: Self.now)
                        _ = try store.finish(upload, now: Self.now, unixTime: 1_700_000_000)
                    }
                    #expect(store.counts.objects == sizes.count)
                }
                #expect(kept.metrics["objects.written"] == Int64(sizes.count))
            }()
            let kept = try Kept(folder)
            let store = ObjectStore(configuration: StoreConfiguration(), journal: kept.directory)
            #expect(Self.restore(kept, into: store) == (sizes.count, 0))
            for (size, body) in zip(sizes, bodies) {
                guard case .complete(_, let head, let found) = store.find(key("/live/\(size).ts")) else {
                    Issue.record("\(size) bytes are missing")
                    continue
                }
                #expect(found == .bytes(body))
                #expect(head.entityTag == "\"\(size)\"")
            }
        }
    }

    /// An object that is not whole makes no room and has no say in what its publisher may do next.
    @Test func `what is damaged behind its header is neither served nor heeded`() async throws {
        try await withTemporaryFolder { folder in
            try await {
                let kept = try Kept(folder)
                try await kept.run { kept.directory.stored(object("/live/a.ts", "body", epoch: 9)) }
            }()
            let file = try onlyFile(in: folder)
            var bytes = try Data(contentsOf: URL(filePath: file))
            bytes[bytes.count - 1] ^= 1
            try bytes.write(to: URL(filePath: file))
            let kept = try Kept(folder)
            let store = ObjectStore(configuration: StoreConfiguration(), journal: kept.directory)
            #expect(Self.restore(kept, into: store) == (0, 0))
            #expect(kept.metrics["objects.corrupt"] == 1)
            #expect(try objectFiles(in: folder).isEmpty)
            let head = ObjectHead(contentType: "video/mp2t", entityTag: "\"2\"")
            #expect(throws: Never.self) { try store.open(key("/live/b.ts"), head: head, epoch: 1, now: Self.now) }
        }
    }

    @Test func `another version's file is left where it is, until something newer has its name`() async throws {
        try await withTemporaryFolder { folder in
            try await {
                let kept = try Kept(folder)
                try await kept.run { kept.directory.stored(object("/a.ts", "old")) }
            }()
            let file = try onlyFile(in: folder)
            var changed = try Data(contentsOf: URL(filePath: file))
            changed[9] = 2
            let bytes = changed
            try bytes.write(to: URL(filePath: file))
            try await {
                let kept = try Kept(folder)
                #expect(kept.load().isEmpty)
                #expect(kept.metrics["objects.unreadable"] == 1)
                #expect(kept.metrics["objects.corrupt"] == 0)
                #expect(kept.log.count("warning files of the data directory cannot be read") == 1)
                let left = try Data(contentsOf: URL(filePath: file))
                #expect(left == bytes)
                try await kept.run {
                    kept.directory.stored(object("/a.ts", "new"))
                    await kept.directory.flush()
                    let newer = try Data(contentsOf: URL(filePath: file))
                    #expect(newer != bytes)
                    kept.directory.removed(key("/a.ts"))
                }
            }()
            #expect(try objectFiles(in: folder).isEmpty)
        }
    }

    @Test func `a restart takes no more memory than what it serves`() async throws {
        try await withTemporaryFolder { folder in
            try await {
                let kept = try Kept(folder) { $0.queueLimitBytes = 1 << 30 }
                try await kept.run {
                    for number in 0..<Self.objectCount {
                        let body = ByteBuffer(repeating: UInt8(number), count: Self.objectBytes)
                        kept.directory.stored(object("/live/\(number).ts", body))
                    }
                }
            }()
            try await Child.passes("restorer", in: folder)
        }
    }

    @Test func `what cannot be read is told of, left where it is, and there when it can be read`() async throws {
        try await withTemporaryFolder { folder in
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder)
            try await Child.passes("unreadable", in: folder)
        }
    }
}

@Suite(.enabled(if: !Child.part.isEmpty, "played in a process of its own")) struct RestoringChildPartTests {
    @Test(.enabled(if: Child.part.first == "restorer")) func `restores much`() throws {
        let kept = try Kept(Child.part[1])
        let store = ObjectStore(configuration: StoreConfiguration(), journal: kept.directory)
        let before = try RestoringTests.peakBytes()
        #expect(RestoringTests.restore(kept, into: store) == (RestoringTests.objectCount, 0))
        let added = try RestoringTests.peakBytes() - before
        #expect(added < 24 << 20, "\(added) bytes beside \(store.heldBytes) in the file in memory")
        Child.tell("passed")
    }

    private func permit(_ permissions: Int, _ path: String) throws {
        try FileManager.default.setAttributes([.posixPermissions: permissions], ofItemAtPath: path)
    }

    @Test(.enabled(if: Child.part.first == "unreadable")) func `meets files it may not read`() async throws {
        let folder = Child.part[1] + "/data"
        // Nothing is closed to root.
        if getuid() == 0 { #expect(setuid(65_534) == 0) }
        try await {
            let kept = try Kept(folder)
            try await kept.run {
                for number in 0..<8 { kept.directory.stored(object("/\(number).ts", "body")) }
            }
        }()
        let file = folder + "/" + ObjectFileName(key("/0.ts")).path
        let subfolder = folder + "/" + ObjectFileName(key("/1.ts")).folder
        let hidden = Set(try objectFiles(in: folder).filter { $0 == file || $0.hasPrefix(subfolder + "/") })
        try #require(!file.hasPrefix(subfolder))
        try permit(0, file)
        try permit(0, subfolder)
        try await {
            let kept = try Kept(folder)
            #expect(kept.load().count == 8 - hidden.count)
            #expect(kept.metrics["objects.unreadable"] == 1)
            #expect(kept.metrics["objects.corrupt"] == 0)
            #expect(kept.log.count("warning files of the data directory cannot be read") == 1)
            #expect(kept.log.count("damaged") == 0)
            try await kept.run {}
        }()
        try permit(0o640, file)
        try permit(0o750, subfolder)
        #expect(try loaded(folder).count == 8)
        Child.tell("passed")
    }
}
