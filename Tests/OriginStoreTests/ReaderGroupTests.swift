import NIOCore
import NIOEmbedded
import OriginStore
import Testing

@Suite struct ReaderGroupTests {
    let setup = StoreSetup()

    @Test func `appends between two turns of an event loop are one wake-up`() throws {
        let loop = EmbeddedEventLoop()
        var upload = try setup.open("/a.ts")
        let readers = try (0..<3).map { _ in try #require(setup.reader(of: "/a.ts", on: loop)) }
        for number in 0..<5 { try setup.append("\(number)", to: &upload) }
        loop.run()
        #expect(readers.map(\.text) == ["01234", "01234", "01234"])
        #expect(readers.map(\.pumps) == [1, 1, 1])
        try setup.append("5", to: &upload)
        loop.run()
        #expect(readers.map(\.pumps) == [2, 2, 2])
    }

    @Test func `each event loop feeds its own readers`() throws {
        let (first, second) = (EmbeddedEventLoop(), EmbeddedEventLoop())
        var upload = try setup.open("/a.ts")
        let here = try #require(setup.reader(of: "/a.ts", on: first))
        let there = try #require(setup.reader(of: "/a.ts", on: second))
        try setup.append("a", to: &upload)
        first.run()
        #expect([here.text, there.text] == ["a", ""])
        second.run()
        #expect(there.text == "a")
    }

    @Test func `a reader that leaves is not fed, and those that stay are, whichever leaves`() throws {
        for leaving in 0..<4 {
            let loop = EmbeddedEventLoop()
            let path = "/\(leaving).ts"
            var upload = try setup.open(path)
            let readers = try (0..<4).map { _ in try #require(setup.reader(of: path, on: loop)) }
            readers[leaving].leave()
            readers[leaving].leave()
            try setup.append("a", to: &upload)
            loop.run()
            #expect(readers.map(\.text) == (0..<4).map { $0 == leaving ? "" : "a" })
            for reader in readers { reader.leave() }
            try setup.append("b", to: &upload)
            loop.run()
            let late = try #require(setup.reader(of: path, on: loop))
            #expect(late.text == "ab")
            late.leave()
        }
    }

    @Test func `a reader that found the object growing gets all of it though it is complete by then`() throws {
        let loop = EmbeddedEventLoop()
        var upload = try setup.open("/a.ts")
        try setup.append("one ", to: &upload)
        guard case .growing(let object) = setup.store.find(key("/a.ts")) else { throw UploadError.superseded }
        let early = Reader(object, on: loop)
        try setup.append("two", to: &upload)
        try setup.finish(upload)
        let late = Reader(object, on: EmbeddedEventLoop())
        #expect(late.text == "one two")
        #expect(late.condition == .complete)
        loop.run()
        #expect(early.text == "one two")
        #expect(early.condition == .complete)
    }

    @Test func `chunks that a reader still holds count until it leaves`() throws {
        final class Sleeper: ObjectReader {
            var slot = 0
            func pump(_ group: ReaderGroup) {}
        }
        let loop = EmbeddedEventLoop()
        var upload = try setup.open("/a.ts")
        guard case .growing(let object) = setup.store.find(key("/a.ts")) else { throw UploadError.superseded }
        let sleeper = Sleeper()
        let group = object.readers(on: loop)
        group.add(sleeper, on: loop)
        try setup.append(String(repeating: "a", count: 10_000), to: &upload)
        try setup.finish(upload)
        loop.run()
        #expect(setup.store.heldBytes > 20_000)
        group.remove(sleeper, on: loop)
        #expect((10_000..<12_000).contains(setup.store.heldBytes))
    }

    @Test func `those who come when the object has just become complete share one copy of it, which counts`() throws {
        let loop = EmbeddedEventLoop()
        let body = String(repeating: "a", count: 100_000)
        var upload = try setup.open("/a.ts")
        guard case .growing(let object) = setup.store.find(key("/a.ts")) else { throw UploadError.superseded }
        try setup.append(body, to: &upload)
        try setup.finish(upload)
        let before = setup.store.heldBytes
        final class Sleeper: ObjectReader {
            var slot = 0
            func pump(_ group: ReaderGroup) {}
        }
        let sleeper = Sleeper()
        let group = object.readers(on: loop)
        group.add(sleeper, on: loop)
        let held = setup.store.heldBytes
        #expect(held > before + 100_000)
        let late = Reader(object, on: EmbeddedEventLoop())
        #expect(late.text == body)
        #expect(late.condition == .complete)
        #expect(setup.store.heldBytes == held)
        group.remove(sleeper, on: loop)
        #expect(setup.store.heldBytes == before)
    }

    @Test func `a group knows when its object's first and last bytes came`() throws {
        let loop = EmbeddedEventLoop()
        var upload = try setup.open("/a.ts", at: .at(1))
        guard case .growing(let object) = setup.store.find(key("/a.ts")) else { throw UploadError.superseded }
        let reader = Reader(object, on: loop)
        let group = object.readers(on: loop)
        #expect(group.startedAt == nil)
        try setup.append("one", to: &upload, at: .at(2))
        try setup.append("two", to: &upload, at: .at(3))
        loop.run()
        #expect(group.startedAt == .at(2))
        #expect(group.completedAt == nil)
        try setup.finish(upload, at: .at(4))
        loop.run()
        #expect(reader.condition == .complete)
        #expect([group.startedAt, object.startedAt] == [.at(2), .at(2)])
        #expect([group.completedAt, object.completedAt] == [.at(4), .at(4)])
    }

    @Test func `a chunk is framed as HTTP demands`() {
        let chunk = ObjectChunk(payload: ByteBuffer(repeating: 0x61, count: 26))
        #expect(String(buffer: chunk.framed) == "1a\r\n" + String(repeating: "a", count: 26) + "\r\n")
        #expect(chunk.payload == ByteBuffer(repeating: 0x61, count: 26))
        #expect(String(buffer: ObjectChunk.last) == "0\r\n\r\n")
    }
}
