import Foundation
import Glibc
import NIOCore
import OriginPersistence
import OriginStore
import Testing

/// A file system of its own with hardly any room, where the user may mount one.
struct SmallDisk: ~Copyable {
    let path: String

    static let isAvailable: Bool = {
        guard let disk = try? SmallDisk(bytes: 1 << 20) else { return false }
        return disk.remount(isReadOnly: false)
    }()

    init(bytes: Int) throws {
        path = FileManager.default.temporaryDirectory.appending(path: "headwater-disk-\(UUID().uuidString)").path()
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        guard unsafe mount("tmpfs", path, "tmpfs", 0, "size=\(bytes)") == 0 else {
            let code = errno
            try FileManager.default.removeItem(atPath: path)
            throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EPERM)
        }
    }

    deinit {
        _ = unsafe umount2(path, Int32(MNT_DETACH))
        try? FileManager.default.removeItem(atPath: path)
    }

    func remount(isReadOnly: Bool) -> Bool {
        let flags = MS_REMOUNT | (isReadOnly ? MS_RDONLY : 0)
        return unsafe mount("tmpfs", path, "tmpfs", UInt(flags), nil) == 0
    }
}

@Suite(.enabled(if: SmallDisk.isAvailable, "mounting a tmpfs takes root"), .timeLimit(.minutes(1)))
struct DiskTroubleTests {
    /// Stores 100 kB segments with a playlist each until the disk has been full for a while.
    @Test func `a full disk costs what it cannot hold, and nothing else`() async throws {
        let disk = try SmallDisk(bytes: 1 << 20)
        let folder = disk.path + "/data"
        let body = ByteBuffer(repeating: 0x47, count: 100_000)
        try await {
            let kept = try Kept(folder)
            try await kept.run {
                for index in 0..<30 {
                    kept.directory.stored(object("/live/\(index).ts", body, version: index))
                    kept.directory.stored(object("/live/p.m3u8", "#EXTM3U\n#\(index)\n", version: index))
                    await kept.directory.flush()
                }
                #expect(kept.metrics["degraded"] == 1)
                // A second later it is tried again.
                #expect(kept.metrics["failures"] >= 1)
                #expect(kept.log.count("error data directory cannot be written") == 1)
                #expect(kept.metrics["objects.dropped/degraded"] > 30)
                // The playlist that was there when the disk was full is older than the last one.
                let left = try objectFiles(in: folder)
                #expect(left.count == Int(kept.metrics["objects.written"] / 2))

                // What expires makes room.
                for index in 0..<4 { kept.directory.removed(key("/live/\(index).ts")) }
                try await kept.metrics.wait(for: "degraded", 0)
                kept.directory.stored(object("/live/new.ts", body, version: 99))
                kept.directory.stored(object("/live/p.m3u8", "new", version: 99))
            }
            #expect(kept.log.count("notice data directory is written again") == 1)
        }()
        let objects = try loaded(folder)
        #expect(objects.texts["/live/p.m3u8"] == "new")
        #expect(objects.count { $0.key.fileExtension == "ts" && $0.body == .bytes(body) } == objects.count - 1)
        #expect(objects.contains { $0.key == key("/live/new.ts") })
        #expect(!objects.contains { $0.key == key("/live/0.ts") })
    }

    @Test func `a disk that turns read-only is written again when it may be`() async throws {
        let disk = try SmallDisk(bytes: 1 << 20)
        let folder = disk.path + "/data"
        try await {
            let kept = try Kept(folder) { $0.sync = .always }
            let running = Task { try await kept.directory.run() }
            kept.directory.stored(object("/p.m3u8", "old"))
            kept.directory.stored(object("/a.ts", "a"))
            await kept.directory.flush()
            var isDone = readOnly(disk, true)
            #expect(isDone)
            kept.directory.stored(object("/p.m3u8", "new", version: 2))
            kept.directory.removed(key("/a.ts"))
            try await kept.metrics.wait(for: "degraded", 1)
            isDone = readOnly(disk, false)
            #expect(isDone)
            try await kept.metrics.wait(for: "degraded", 0)
            await kept.directory.flush()
            running.cancel()
            try await running.value
        }()
        // The new version was dropped, and the old one must not be taken for it.
        #expect(try loaded(folder).isEmpty)
    }

    private func readOnly(_ disk: borrowing SmallDisk, _ isReadOnly: Bool) -> Bool {
        disk.remount(isReadOnly: isReadOnly)
    }

    @Test func `a read-only disk is refused with the reason`() throws {
        let disk = try SmallDisk(bytes: 1 << 20)
        let path = disk.path
        _ = try Kept(path)
        let isDone = readOnly(disk, true)
        #expect(isDone)
        #expect(throws: DataDirectoryError.notWritable(path: path, reason: "Read-only file system")) {
            try Kept(path)
        }
    }

    @Test func `a disk that is full at the start is no reason not to start`() async throws {
        let disk = try SmallDisk(bytes: 256 << 10)
        let folder = disk.path + "/data"
        try await {
            let kept = try Kept(folder)
            try await kept.run { kept.directory.stored(object("/a.ts", "a")) }
        }()
        let filler = unsafe open(disk.path + "/filler", O_WRONLY | O_CREAT, 0o600)
        let zeros = [UInt8](repeating: 0, count: 4_096)
        while unsafe write(filler, zeros, zeros.count) > 0 {}
        #expect(errno == ENOSPC)
        close(filler)
        try await {
            let kept = try Kept(folder)
            #expect(kept.load().count == 1)
            try await kept.run {
                kept.directory.stored(object("/b.ts", "b"))
                try await kept.metrics.wait(for: "degraded", 1)
            }
        }()
    }
}
