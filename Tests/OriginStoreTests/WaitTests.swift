import NIOCore
import NIOEmbedded
import OriginStore
import Synchronization
import Testing

@Suite struct WaitTests {
    let loop = EmbeddedEventLoop()
    let setup = StoreSetup { $0.waiterLimit = 3 }

    /// How often it was told.
    final class Bell: Sendable {
        private let count = Atomic<Int>(0)
        var rings: Int { count.load(ordering: .relaxed) }
        func ring() { count.wrappingAdd(1, ordering: .relaxed) }
    }

    /// Waits, and gives back the number.
    func wait(_ path: String, _ bell: Bell, on loop: EmbeddedEventLoop? = nil) -> UInt64? {
        guard case .waiting(let id) = setup.store.wait(for: key(path), on: loop ?? self.loop, { bell.ring() }) else {
            return nil
        }
        return id
    }

    @Test func `an upload that opens, an announcement and a stored playlist are arrivals`() throws {
        let bells = (0..<3).map { _ in Bell() }
        #expect(wait("/live/s/0.ts", bells[0]) != nil)
        #expect(wait("/live/s/1.ts", bells[1]) != nil)
        #expect(wait("/live/s/source.m3u8", bells[2]) != nil)
        _ = try setup.open("/live/s/0.ts")
        #expect(bells.map(\.rings) == [0, 0, 0])
        loop.run()
        #expect(bells.map(\.rings) == [1, 0, 0])
        var upload = try setup.open("/live/s/source.m3u8")
        try setup.append(playlist([], announcing: ["1.ts"]), to: &upload)
        loop.run()
        #expect(bells.map(\.rings) == [1, 0, 0])
        try setup.finish(upload)
        loop.run()
        #expect(bells.map(\.rings) == [1, 1, 1])
        try setup.put("/live/s/0.ts", "x")
        try setup.putPlaylist([])
        loop.run()
        #expect(bells.map(\.rings) == [1, 1, 1])
    }

    @Test func `what is there is not waited for`() throws {
        try setup.put("/live/s/0.ts", "x")
        _ = try setup.open("/live/s/1.ts")
        try setup.putPlaylist([], announcing: ["2.ts"])
        for name in ["0.ts", "1.ts", "2.ts", "source.m3u8"] {
            #expect(setup.store.wait(for: key("/live/s/\(name)"), on: loop) {} == .present)
        }
        var upload = try setup.open("/live/s/3.ts")
        try setup.append("x", to: &upload)
        setup.store.breakOff(upload, now: .at(0))
        _ = setup.store.timePassed(now: .at(5))
        let bell = Bell()
        #expect(wait("/live/s/3.ts", bell) != nil)
        try setup.put("/live/s/3.ts", "x")
        loop.run()
        #expect(bell.rings == 1)
    }

    @Test func `each is told on its own event loop`() throws {
        let loops = [EmbeddedEventLoop(), EmbeddedEventLoop()]
        let bells = [Bell(), Bell(), Bell()]
        for (bell, loop) in zip(bells, [loops[0], loops[1], loops[1]]) {
            #expect(wait("/live/s/0.ts", bell, on: loop) != nil)
        }
        _ = try setup.open("/live/s/0.ts")
        loops[1].run()
        #expect(bells.map(\.rings) == [0, 1, 1])
        loops[0].run()
        #expect(bells.map(\.rings) == [1, 1, 1])
    }

    @Test func `who cancels is not told, and leaves its place`() throws {
        let bells = (0..<4).map { _ in Bell() }
        let first = try #require(wait("/live/s/0.ts", bells[0]))
        #expect(wait("/live/s/0.ts", bells[1]) != nil)
        #expect(wait("/live/s/1.ts", bells[2]) != nil)
        #expect(setup.store.wait(for: key("/live/s/2.ts"), on: loop) {} == .full)
        setup.store.cancelWait(first, for: key("/live/s/1.ts"))
        #expect(setup.store.wait(for: key("/live/s/2.ts"), on: loop) {} == .full)
        setup.store.cancelWait(first, for: key("/live/s/0.ts"))
        setup.store.cancelWait(first, for: key("/live/s/0.ts"))
        #expect(wait("/live/s/0.ts", bells[3]) != nil)
        #expect(setup.store.wait(for: key("/live/s/2.ts"), on: loop) {} == .full)
        _ = try setup.open("/live/s/0.ts")
        loop.run()
        #expect(bells.map(\.rings) == [0, 1, 0, 1])
        // Those that were told wait no longer.
        for _ in 0..<2 { #expect(wait("/live/s/2.ts", bells[0]) != nil) }
        #expect(setup.store.wait(for: key("/live/s/2.ts"), on: loop) {} == .full)
    }
}
