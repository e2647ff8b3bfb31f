import Glibc
import MemoryFile
import NIOCore
import Testing

struct MemoryFileTests {
    /// Bytes of which each run of a page's length is another.
    private static func bytes(_ count: Int, seed: Int = 0) -> ByteBuffer {
        ByteBuffer(bytes: (0..<count).map { UInt8(truncatingIfNeeded: ($0 + seed) &* 31 >> 3 + 1) })
    }

    @Test func `an extent is its pieces one after the other, and gives any part of them`() throws {
        let file = try #require(MemoryFile())
        let pieces = [Self.bytes(5_000), ByteBuffer(), Self.bytes(70_000, seed: 9)]
        let extent = try #require(file.store(pieces))
        var whole = ByteBuffer()
        for piece in pieces { whole.writeImmutableBuffer(piece) }
        #expect(extent.count == 75_000)
        #expect(extent.read(0..<75_000) == whole)
        #expect(extent.read(4_990..<5_010) == whole.getSlice(at: 4_990, length: 20))
        #expect(extent.read(75_000..<75_000) == ByteBuffer())
        #expect(extent.read(74_999..<75_001) == nil)
        #expect(extent.read(-1..<1) == nil)
    }

    @Test func `an extent takes what comes piece by piece, and exactly so much`() throws {
        let file = try #require(MemoryFile())
        let bytes = Self.bytes(10_000)
        func stored(_ count: Int, _ pieceBytes: Int) -> FileExtent? {
            var rest = bytes
            return file.store(count: count) { _ in
                rest.readSlice(length: min(pieceBytes, rest.readableBytes)) ?? ByteBuffer()
            }
        }
        #expect(stored(10_000, 3_000)?.read(0..<10_000) == bytes)
        #expect(stored(0, 3_000)?.count == 0)
        // Fewer come, or more.
        #expect(stored(10_001, 3_000) == nil)
        #expect(stored(9_999, 3_000) == nil)
    }

    @Test func `an extent takes whole pages`() throws {
        let file = try #require(MemoryFile())
        let pageBytes = sysconf(CInt(_SC_PAGESIZE))
        for (count, pages) in [(0, 0), (1, 1), (pageBytes, 1), (pageBytes + 1, 2)] {
            #expect(try #require(file.store([Self.bytes(count)])).heldBytes == pages * pageBytes)
        }
    }

    @Test func `extents do not share pages, and one that goes leaves the others as they are`() throws {
        let file = try #require(MemoryFile())
        let first = try #require(file.store([Self.bytes(5_000)]))
        do {
            let second = try #require(file.store([Self.bytes(9_000, seed: 1)]))
            #expect(second.read(0..<9_000) == Self.bytes(9_000, seed: 1))
        }
        let third = try #require(file.store([Self.bytes(100, seed: 2)]))
        #expect(first.read(0..<5_000) == Self.bytes(5_000))
        #expect(third.read(0..<100) == Self.bytes(100, seed: 2))
    }

    @Test func `what lies in a socket's queue stays as it was when its extent goes`() throws {
        let file = try #require(MemoryFile())
        var ends: [CInt] = [-1, -1]
        #expect(unsafe socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { for end in ends { close(end) } }
        let count = 5_000
        do {
            let extent = try #require(file.store([Self.bytes(count)]))
            #expect(extent.send(0..<count, to: ends[0]) == count)
        }
        // Whatever takes the pages now must not be seen.
        let other = try #require(file.store([ByteBuffer(repeating: 0xFF, count: count)]))
        var received = ByteBuffer()
        while received.readableBytes < count {
            let read = unsafe received.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { space in
                unsafe max(0, recv(ends[1], space.baseAddress, space.count, 0))
            }
            try #require(read > 0)
        }
        #expect(received == Self.bytes(count))
        #expect(other.count == count)
    }

    @Test func `a socket that takes no more, or is broken, takes nothing`() throws {
        let file = try #require(MemoryFile())
        let extent = try #require(file.store([Self.bytes(1 << 20)]))
        var ends: [CInt] = [-1, -1]
        #expect(unsafe socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends) == 0)
        defer { close(ends[0]) }
        var sent = 0
        while case let count = extent.send(sent..<extent.count, to: ends[0]), count > 0 { sent += count }
        #expect(sent > 0 && sent < extent.count)
        let former = signal(SIGPIPE, SIG_IGN)
        defer { signal(SIGPIPE, former) }
        close(ends[1])
        #expect(extent.send(sent..<extent.count, to: ends[0]) == 0)
        #expect(extent.send(0..<extent.count + 1, to: ends[0]) == 0)
    }
}
