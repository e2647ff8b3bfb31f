import Foundation
import NIOCore
import Testing

import Upload

@Suite(.timeLimit(.minutes(1)))
struct FileUploadTests {
    let directory = FileManager.default.temporaryDirectory.appending(path: "upload-\(UUID().uuidString)").path()

    private func content(_ path: String) -> Data? { FileManager.default.contents(atPath: directory + path) }
    private func names(_ path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory + path)) ?? []).sorted()
    }

    @Test func `a growing body is written under its name as it grows`() async throws {
        let setup = try UploadSetup("file:\(directory)")
        let body = setup.open("/live/s/1.ts")
        body.append(ByteBuffer(bytes: pattern(1_000)))
        try await setup.metrics.wait(for: "bytes/0", total: 1_000)
        #expect(content("/live/s/1.ts") == Data(pattern(1_000)))
        for index in 0..<1_000 { body.append(ByteBuffer(bytes: pattern(100, from: 1_000 + index * 100))) }
        body.finish()
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 1)
        #expect(content("/live/s/1.ts") == Data(pattern(101_000)))
        setup.uploader.expire(body)
        setup.uploader.remove(path: "/live/s/1.ts")
        await setup.uploader.shutdown(within: .seconds(5))
        #expect(names("/live/s").isEmpty)
        try FileManager.default.removeItem(atPath: directory)
    }

    @Test func `a whole object is replaced at once and leaves no temporary file`() async throws {
        let setup = try UploadSetup("file:\(directory)")
        for version in ["one", "two", "three"] { setup.put("/live/s/s.m3u8", version) }
        await setup.uploader.shutdown(within: .seconds(5))
        #expect(content("/live/s/s.m3u8") == Data("three".utf8))
        #expect(names("/live/s") == ["s.m3u8"])
        let ended = setup.metrics.total("transfers/0/delivered") + setup.metrics.total("transfers/0/replaced")
        #expect(ended == 3)
        try FileManager.default.removeItem(atPath: directory)
    }

    @Test func `a part of an object is not left behind`() async throws {
        let setup = try UploadSetup("file:\(directory)")
        let abandoned = setup.open("/1.ts")
        abandoned.append(ByteBuffer(bytes: pattern(10)))
        try await setup.metrics.wait(for: "bytes/0", total: 10)
        abandoned.abandon()
        try await setup.metrics.wait(for: "transfers/0/abandoned", total: 1)
        let open = setup.open("/2.ts")
        open.append(ByteBuffer(bytes: pattern(10)))
        try await setup.metrics.wait(for: "bytes/0", total: 20)
        #expect(names("/") == ["2.ts"])
        await setup.end()
        try await setup.metrics.wait(for: "transfers/0/dropped", total: 1)
        #expect(names("/").isEmpty)
        #expect(setup.metrics.total("transfers/0/dropped") == 1)
        try FileManager.default.removeItem(atPath: directory)
    }

    @Test func `an error is counted and the next object tried`() async throws {
        let setup = try UploadSetup("file:\(directory)")
        _ = FileManager.default.createFile(atPath: directory, contents: nil)
        setup.put("/a", "1")
        try await setup.metrics.wait(for: "transfers/0/failed", total: 1)
        let body = setup.open("/b")
        try await setup.metrics.wait(for: "transfers/0/failed", total: 2)
        body.append(ByteBuffer(bytes: pattern(10)))
        try FileManager.default.removeItem(atPath: directory)
        setup.put("/c", "3")
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 1)
        await setup.end()
        #expect(names("/") == ["c"])
        try FileManager.default.removeItem(atPath: directory)
    }

    @Test func `no link leads out of the directory`() async throws {
        let setup = try UploadSetup("file:\(directory)")
        let outside = directory + "-outside"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: outside, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: directory + "/link", withDestinationPath: outside)
        setup.put("/link/a", "1")
        setup.put("/../a", "1")
        try await setup.metrics.wait(for: "transfers/0/failed", total: 1)
        #expect(setup.metrics.total("transfers/0/invalid") == 1)
        await setup.end()
        #expect(try FileManager.default.contentsOfDirectory(atPath: outside).isEmpty)
        try FileManager.default.removeItem(atPath: directory)
        try FileManager.default.removeItem(atPath: outside)
    }

    @Test func `a dead origin does not hold up the directory`() async throws {
        let dead = try DeadPort()
        let setup = try UploadSetup(dead.url, "file://\(directory)")
        setup.put("/a", "1")
        try await setup.metrics.wait(for: "transfers/1/delivered", total: 1)
        await setup.end()
        #expect(content("/a") == Data("1".utf8))
        try FileManager.default.removeItem(atPath: directory)
    }
}
