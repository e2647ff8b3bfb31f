import NIOCore
import OriginServer
import Subprocess
import Testing
import TestSupport

@Suite struct GzipTests {
    private static func unzipped(_ bytes: ByteBuffer) async throws -> [UInt8]? {
        let result = try await run(
            .name("gzip"), arguments: ["-dc"], input: .array(Array(bytes.readableBytesView)),
            output: .bytes(limit: 1 << 24), error: .discarded)
        return result.terminationStatus.isSuccess ? result.standardOutput : nil
    }

    private static func bodies() -> [ByteBuffer] {
        var random = RandomNumbers(seed: 5)
        let noise = ByteBuffer(bytes: (0..<300_000).map { _ in UInt8.random(in: .min ... .max, using: &random) })
        let playlist = ByteBuffer(string: String(repeating: "#EXTINF:1.000,\nsegment-1.ts\n", count: 1_000))
        let slice = playlist.getSlice(at: 1_000, length: 500) ?? ByteBuffer()
        return [ByteBuffer(), ByteBuffer(string: "x"), playlist, slice, noise]
    }

    @Test func `the gzip command gets back every body`() async throws {
        for body in Self.bodies() {
            let compressed = try #require(Gzip.compressed(body))
            #expect(try await Self.unzipped(compressed) == Array(body.readableBytesView))
        }
    }

    @Test func `a playlist is a small part of itself, and the same each time`() throws {
        let playlist = Self.bodies()[2]
        let compressed = try #require(Gzip.compressed(playlist))
        #expect(compressed.readableBytes < playlist.readableBytes / 20)
        #expect(compressed.capacity < 2 * compressed.readableBytes)
        #expect(Gzip.compressed(playlist) == compressed)
    }

    @Test func `a body beyond the limit is not compressed`() {
        #expect(Gzip.compressed(ByteBuffer(repeating: 0, count: Gzip.limitBytes + 1)) == nil)
    }
}
