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

    @Test func `a deadline that no longer holds does nothing, however many there are of them`() throws {
        let setup = StoreSetup()
        for number in 0..<4 { try setup.put("/live/s/\(number).ts", "x") }
        // Each version puts two objects off and takes the two others back.
        for second in 0..<Int64(4_000) {
            let listed = second % 2 == 0 ? ["0.ts", "1.ts"] : ["2.ts", "3.ts"]
            try setup.putPlaylist(listed, at: .at(second))
            #expect(setup.store.timePassed(now: .at(second)) == .init())
        }
        #expect(setup.store.timePassed(now: .at(4_001)) == .init())
        #expect(setup.store.timePassed(now: .at(4_002)) == .init(expired: 2))
        #expect(["0", "1", "2", "3"].map { setup.get("/live/s/\($0).ts") } == ["missing", "missing", "x", "x"])
    }

    @Test func `an upload that broke off is given up in time, however much else is put off meanwhile`() throws {
        let setup = StoreSetup()
        for number in 0..<2 { try setup.put("/live/s/\(number).ts", "x") }
        var upload = try setup.open("/live/s/2.ts")
        try setup.append("x", to: &upload)
        setup.store.breakOff(upload, now: .at(0))
        for number in 0..<2_000 { try setup.putPlaylist(["\(number % 2).ts"], at: .at(1)) }
        #expect(setup.store.timePassed(now: .at(5)) == .init(expired: 1, aborted: 1))
        #expect(setup.get("/live/s/2.ts") == "missing")
    }

    @Test func `any number of objects expires in one sweep`() throws {
        let setup = StoreSetup { $0.streamObjectLimit = 10_000 }
        for number in 0..<5_000 { try setup.put("/live/s/\(number).ts", "x") }
        #expect(setup.store.timePassed(now: .at(60)) == .init(expired: 5_000))
        #expect(setup.store.heldBytes == 0)
    }

    @Test func `a reader that has a complete object keeps its memory until it leaves`() throws {
        for body in [String(repeating: "a", count: 10_000), String(repeating: "b", count: 100_000)] {
            let setup = StoreSetup()
            try setup.put("/live/s/0.ts", body)
            do {
                guard case .complete(let object, _, let bytes) = setup.store.find(key("/live/s/0.ts")) else {
                    throw UploadError.superseded
                }
                #expect(!object.isGone)
                #expect(setup.store.timePassed(now: .at(60)) == .init(expired: 1))
                #expect(setup.get("/live/s/0.ts") == "missing")
                #expect(object.isGone)
                #expect(setup.store.heldBytes > body.utf8.count)
                #expect(setup.store.timePassed(now: .at(61)) == .init())
                #expect(bytes.wholeBytes.map { String(buffer: $0) } == body)
            }
            _ = setup.store.timePassed(now: .at(62))
            #expect(setup.store.heldBytes == 0)
        }
    }

    @Test func `whatever the store lets go of is gone to those who have it`() throws {
        let setup = StoreSetup()
        func object(_ path: String) throws -> GrowingObject {
            switch setup.store.find(key(path)) {
            case .complete(let object, _, _), .growing(let object): return object
            case .playlist, .missing: throw UploadError.superseded
            }
        }
        try setup.put("/live/s/replaced.ts", "x")
        let replaced = try object("/live/s/replaced.ts")
        try setup.put("/live/s/replaced.ts", "y")
        try setup.put("/live/s/removed.ts", "x")
        let removed = try object("/live/s/removed.ts")
        _ = try setup.store.remove(key("/live/s/removed.ts"), now: .at(0))
        var upload = try setup.open("/live/s/broken.ts")
        try setup.append("x", to: &upload)
        let broken = try object("/live/s/broken.ts")
        #expect(!broken.isGone)
        setup.store.breakOff(upload, now: .at(0))
        #expect(setup.store.timePassed(now: .at(5)) == .init(aborted: 1))
        #expect(replaced.isGone && removed.isGone && broken.isGone)
        #expect(try !object("/live/s/replaced.ts").isGone)
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
}
