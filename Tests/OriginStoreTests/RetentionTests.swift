import NIOCore
import NIOEmbedded
import OriginStore
import Testing

@Suite struct RetentionTests {
    let loop = EmbeddedEventLoop()

    @Test func `an object that leaves the playlist stays for the playlist's length and a target duration`() throws {
        let setup = StoreSetup()
        for number in 0..<4 { try setup.put("/live/s/\(number).ts", "x") }
        try setup.putPlaylist(["0.ts", "1.ts", "2.ts"], at: .at(100))
        _ = setup.store.timePassed(now: .at(250))
        #expect(setup.get("/live/s/0.ts") == "x")
        try setup.putPlaylist(["1.ts", "2.ts", "3.ts"], at: .at(250))
        _ = setup.store.timePassed(now: .at(253))
        #expect(setup.get("/live/s/0.ts") == "x")
        #expect(setup.store.timePassed(now: .at(254)) == .init(expired: 1))
        #expect(setup.get("/live/s/0.ts") == "missing")
        #expect(setup.get("/live/s/1.ts") == "x")
    }

    @Test func `the longest playlist that has listed an object counts`() throws {
        let setup = StoreSetup()
        try setup.put("/live/s/0.ts", "x")
        try setup.putPlaylist("/live/s/long.m3u8", (0..<20).map { "\($0).ts" }, at: .at(0))
        try setup.putPlaylist("/live/s/short.m3u8", ["0.ts"], at: .at(0))
        try setup.putPlaylist("/live/s/long.m3u8", ["30.ts"], at: .at(1))
        try setup.putPlaylist("/live/s/short.m3u8", ["30.ts"], at: .at(2))
        _ = setup.store.timePassed(now: .at(22))
        #expect(setup.get("/live/s/0.ts") == "x")
        _ = setup.store.timePassed(now: .at(23))
        #expect(setup.get("/live/s/0.ts") == "missing")
    }

    @Test func `an object no playlist lists goes after its lifetime, one that is listed anew stays`() throws {
        let setup = StoreSetup()
        try setup.put("/live/s/0.ts", "x", at: .at(0))
        try setup.put("/live/s/1.ts", "x", at: .at(0))
        try setup.putPlaylist(["1.ts"], at: .at(59))
        _ = setup.store.timePassed(now: .at(60))
        #expect(["0", "1"].map { setup.get("/live/s/\($0).ts") } == ["missing", "x"])
    }

    @Test func `an object that grows does not expire, however long it takes`() throws {
        let setup = StoreSetup()
        var upload = try setup.open("/live/s/0.ts")
        try setup.append("x", to: &upload)
        try setup.putPlaylist(["0.ts"], at: .at(0))
        try setup.putPlaylist(["1.ts"], at: .at(1))
        _ = setup.store.timePassed(now: .at(200))
        #expect(setup.get("/live/s/0.ts") == "growing")
        try setup.finish(upload, at: .at(200))
        _ = setup.store.timePassed(now: .at(259))
        #expect(setup.get("/live/s/0.ts") == "x")
        _ = setup.store.timePassed(now: .at(260))
        #expect(setup.get("/live/s/0.ts") == "missing")
    }

    @Test func `when all has expired nothing is held, and readers of what was announced are cut`() throws {
        let setup = StoreSetup()
        for number in 0..<3 { try setup.put("/live/s/\(number).ts", "some", "thing") }
        try setup.putPlaylist(["0.ts", "1.ts"], announcing: ["2.ts", "3.ts", "4.ts"], at: .at(0))
        try setup.put("/live/s/playlist.m3u8", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nsource.m3u8\n", at: .at(0))
        let readers = try ["3", "4"].map { try #require(setup.reader(of: "/live/s/\($0).ts", on: loop)) }
        #expect(setup.store.heldBytes > 0)
        #expect(setup.store.timePassed(now: .at(299)) == .init())
        #expect(setup.store.timePassed(now: .at(300)) == .init(expired: 2))
        loop.run()
        #expect(readers.map(\.condition) == [.aborted, .aborted])
        #expect(setup.store.timePassed(now: .at(400)) == .init(expired: 3))
        #expect(setup.store.counts == (0, 0))
        #expect(setup.store.heldBytes == 0)
    }

    @Test func `a target duration of any size is survived`() throws {
        let setup = StoreSetup()
        try setup.put("/live/s/0.ts", "x")
        for target in ["99999999999999", "9223372036854775807"] {
            _ = try? setup.put("/live/s/a.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:\(target)\n#EXTINF:1,\n0.ts\n")
            _ = try? setup.put("/live/s/a.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:\(target)\n#EXTINF:1,\n1.ts\n")
        }
        _ = setup.store.timePassed(now: .at(1))
        #expect(setup.get("/live/s/0.ts") == "x")
    }

    /// Segments of six seconds in two pieces, a window of six and three announced; every hundredth upload breaks off.
    @Test func `memory stays flat over a day of five streams`() throws {
        let setup = StoreSetup()
        var heldBytes: [Int] = []
        let body = String(repeating: "a", count: 1_000)
        for number in 0..<14_400 {
            let now = NIODeadline.at(Int64(number) * 6)
            for stream in 0..<5 {
                let folder = "/live/\(stream)"
                var upload = try setup.open("\(folder)/\(number).ts", epoch: 1, at: now)
                try setup.append(body, to: &upload)
                if number % 100 == stream {
                    setup.store.breakOff(upload, now: now)
                } else {
                    try setup.append(body, to: &upload)
                    try setup.finish(upload, at: now)
                }
                try setup.putPlaylist(
                    "\(folder)/source.m3u8", (max(0, number - 5)...number).map { "\($0).ts" },
                    announcing: (1...3).map { "\(number + $0).ts" }, epoch: 1, at: now)
            }
            _ = setup.store.timePassed(now: now)
            if number % 600 == 599 { heldBytes.append(setup.store.heldBytes) }
        }
        let least = try #require(heldBytes.min())
        let most = try #require(heldBytes.max())
        #expect(heldBytes.count == 24)
        #expect(Double(most) <= Double(least) * 1.05, "\(heldBytes)")
        _ = setup.store.timePassed(now: .at(86_400 + 300))
        _ = setup.store.timePassed(now: .at(86_400 + 3_900))
        #expect(setup.store.counts == (0, 0))
        #expect(setup.store.heldBytes == 0)
    }
}
