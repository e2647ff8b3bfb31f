import NIOCore
import NIOEmbedded
import OriginStore
import Testing

@Suite struct UploadTests {
    let loop = EmbeddedEventLoop()

    @Test func `an object is read while it grows`() throws {
        let setup = StoreSetup()
        var upload = try setup.open("/live/s/a.ts")
        try setup.append("one ", to: &upload)
        let first = try #require(setup.reader(of: "/live/s/a.ts", on: loop))
        #expect(first.text == "one ")
        try setup.append("two ", to: &upload)
        try setup.append("", to: &upload)
        let second = try #require(setup.reader(of: "/live/s/a.ts", on: loop))
        #expect(second.text == "one two ")
        loop.run()
        #expect(first.text == "one two ")
        try setup.append("three", to: &upload)
        #expect(try setup.finish(upload) == .created)
        loop.run()
        #expect([first.text, second.text] == ["one two three", "one two three"])
        #expect([first.condition, second.condition] == [.complete, .complete])
        #expect(setup.get("/live/s/a.ts") == "one two three")
    }

    @Test func `what broke off is continued by a repeat, and readers do not notice`() throws {
        let setup = StoreSetup()
        var upload = try setup.open("/live/s/a.ts")
        try setup.append("one ", to: &upload)
        try setup.append("two ", to: &upload)
        let reader = try #require(setup.reader(of: "/live/s/a.ts", on: loop))
        setup.store.breakOff(upload, now: .at(10))
        #expect(setup.store.timePassed(now: .at(14)) == .init())
        // In other pieces than the first time: one within a chunk, one across the seam, one across the end.
        var again = try setup.open("/live/s/a.ts")
        for piece in ["o", "ne t", "wo three"] { try setup.append(piece, to: &again) }
        try setup.finish(again)
        loop.run()
        #expect(reader.text == "one two three")
        #expect(reader.condition == .complete)
    }

    @Test func `after the resume window readers are cut and the object is gone`() throws {
        let setup = StoreSetup()
        var upload = try setup.open("/live/s/a.ts")
        try setup.append("one", to: &upload)
        let reader = try #require(setup.reader(of: "/live/s/a.ts", on: loop))
        setup.store.breakOff(upload, now: .at(10))
        #expect(setup.store.timePassed(now: .at(15)) == .init(aborted: 1))
        loop.run()
        #expect(reader.text == "one")
        #expect(reader.condition == .aborted)
        #expect(setup.get("/live/s/a.ts") == "missing")
        #expect(try setup.put("/live/s/a.ts", "other") == .created)
        #expect(setup.get("/live/s/a.ts") == "other")
    }

    @Test(arguments: [("one two", "one TWO three"), ("one", "x"), ("one two", "one tw")])
    func `a repeat that differs or is shorter cuts the readers and is served instead`(held: String, repeated: String)
        throws
    {
        let setup = StoreSetup()
        var upload = try setup.open("/live/s/a.ts")
        for piece in held.split(separator: " ") { try setup.append(String(piece) + " ", to: &upload) }
        let reader = try #require(setup.reader(of: "/live/s/a.ts", on: loop))
        setup.store.breakOff(upload, now: .at(10))
        var again = try setup.open("/live/s/a.ts")
        for character in repeated { try setup.append(String(character), to: &again) }
        try setup.finish(again)
        loop.run()
        #expect(reader.condition == .aborted)
        #expect(setup.get("/live/s/a.ts") == repeated)
    }

    @Test func `a newer upload takes over from one that lingers`() throws {
        let setup = StoreSetup()
        var old = try setup.open("/live/s/a.ts")
        try setup.append("one", to: &old)
        var new = try setup.open("/live/s/a.ts")
        try setup.append("one two", to: &new)
        #expect(throws: UploadError.superseded) { try setup.append(" 2", to: &old) }
        #expect(throws: UploadError.superseded) { try setup.finish(old) }
        setup.store.breakOff(old, now: .at(0))
        #expect(setup.store.timePassed(now: .at(60)) == .init())
        try setup.finish(new)
        #expect(setup.get("/live/s/a.ts") == "one two")
        #expect(throws: UploadError.superseded) { try setup.finish(old) }
        #expect(setup.get("/live/s/a.ts") == "one two")
    }

    @Test func `what replaces a complete object is seen when whole`() throws {
        let setup = StoreSetup()
        try setup.put("/live/s/a.ts", "one")
        var upload = try setup.open("/live/s/a.ts")
        try setup.append("other", to: &upload)
        #expect(setup.get("/live/s/a.ts") == "one")
        setup.store.breakOff(upload, now: .at(0))
        upload = try setup.open("/live/s/a.ts")
        try setup.append("new", to: &upload)
        #expect(try setup.finish(upload) == .replaced)
        #expect(setup.get("/live/s/a.ts") == "new")
    }

    @Test(arguments: ["/live/s/a.ts", "/live/s/a.m3u8"])
    func `of two that replace the same, the newer stays, whichever ends first`(path: String) throws {
        let setup = StoreSetup()
        let versions = ["0.ts", "1.ts", "2.ts"].map { playlist([$0]) }
        try setup.put(path, versions[0])
        for isOldFirst in [true, false] {
            var old = try setup.open(path)
            var new = try setup.open(path)
            try setup.append(versions[1], to: &old)
            try setup.append(versions[2], to: &new)
            if isOldFirst { #expect(try setup.finish(old) == .replaced) }
            #expect(try setup.finish(new) == .replaced)
            if !isOldFirst { #expect(throws: UploadError.superseded) { try setup.finish(old) } }
            #expect(setup.get(path) == versions[2])
        }
    }

    @Test func `what replaced an object that has gone does not take a newer upload's place`() throws {
        let setup = StoreSetup()
        try setup.put("/live/s/a.ts", "one")
        var old = try setup.open("/live/s/a.ts")
        try setup.append("old", to: &old)
        #expect(try setup.store.remove(key("/live/s/a.ts"), now: .at(0)))
        var new = try setup.open("/live/s/a.ts")
        try setup.append("new", to: &new)
        #expect(throws: UploadError.superseded) { try setup.finish(old) }
        try setup.finish(new)
        #expect(setup.get("/live/s/a.ts") == "new")
    }

    @Test func `what a replacement displaces is given up`() throws {
        let setup = StoreSetup()
        try setup.put("/live/s/a.ts", "one")
        var replacement = try setup.open("/live/s/a.ts")
        try setup.append("new", to: &replacement)
        #expect(try setup.store.remove(key("/live/s/a.ts"), now: .at(0)) == true)
        try setup.putPlaylist([], announcing: ["a.ts"])
        let reader = try #require(setup.reader(of: "/live/s/a.ts", on: loop))
        try setup.finish(replacement)
        loop.run()
        #expect(reader.condition == .aborted)
        #expect(setup.get("/live/s/a.ts") == "new")
    }

    @Test func `an empty upload is an empty object`() throws {
        let setup = StoreSetup()
        #expect(try setup.put("/live/s/a.ts") == .created)
        #expect(setup.get("/live/s/a.ts") == "")
    }

    @Test func `removing takes objects and playlists away and cuts readers`() throws {
        let setup = StoreSetup()
        var upload = try setup.open("/live/s/a.ts")
        try setup.append("one", to: &upload)
        let reader = try #require(setup.reader(of: "/live/s/a.ts", on: loop))
        #expect(try setup.store.remove(key("/live/s/a.ts"), now: .at(0)) == true)
        loop.run()
        #expect(reader.condition == .aborted)
        #expect(throws: UploadError.superseded) { try setup.finish(upload) }
        #expect(try setup.store.remove(key("/live/s/a.ts"), now: .at(0)) == false)

        try setup.putPlaylist([], announcing: ["x.ts", "y.ts", "z.ts"])
        let readers = try ["x", "y", "z"].map { try #require(setup.reader(of: "/live/s/\($0).ts", on: loop)) }
        #expect(try setup.store.remove(key("/live/s/source.m3u8"), now: .at(0)) == true)
        loop.run()
        #expect(readers.map(\.condition) == [.aborted, .aborted, .aborted])
        #expect(setup.store.counts == (0, 0))
        #expect(setup.get("/live/s/source.m3u8") == "missing")
    }

    @Test func `an object larger than the limit is refused`() throws {
        let setup = StoreSetup {
            $0.objectLimitBytes = 10
            $0.playlistLimitBytes = 5
        }
        #expect(try setup.put("/a.ts", "12345", "67890") == .created)
        #expect(throws: UploadError.tooLarge(limitBytes: 10)) { try setup.put("/b.ts", "12345", "678901") }
        for path in ["/a.m3u8", "/a.mpd"] {
            #expect(throws: UploadError.tooLarge(limitBytes: 5)) { try setup.put(path, "123456") }
        }
    }

    @Test func `the oldest complete objects make room, and what grows is never taken`() throws {
        let setup = StoreSetup {
            $0.memoryLimitBytes = 64 << 10
            $0.streamMemoryLimitBytes = 1 << 30
        }
        let body = String(repeating: "a", count: 4_000)
        do {
            var growing = try setup.open("/live/s/growing.ts")
            try setup.append(body, to: &growing)
            for number in 0..<100 {
                try setup.put("/live/s/\(number).ts", body)
                #expect(setup.store.heldBytes <= 64 << 10)
            }
            #expect(setup.get("/live/s/0.ts") == "missing")
            #expect(setup.get("/live/s/99.ts") == body)
            #expect(setup.get("/live/s/growing.ts") == "growing")
            #expect(throws: UploadError.outOfMemory) {
                for _ in 0..<100 { try setup.append(body, to: &growing) }
            }
            #expect(setup.store.heldBytes <= 80 << 10)
            #expect(setup.store.counts == (1, 0))
            setup.store.breakOff(growing, now: .at(0))
        }
        _ = setup.store.timePassed(now: .at(5))
        #expect(setup.store.heldBytes == 0)
        try setup.put("/live/s/new.ts", body)
        #expect(setup.get("/live/s/new.ts") == body)
    }

    @Test func `uploads that are not seen yet, playlists and empty objects count too`() throws {
        let setup = StoreSetup {
            $0.memoryLimitBytes = 256 << 10
            $0.streamMemoryLimitBytes = 1 << 30
        }
        let body = String(repeating: "a", count: 4_000)
        try setup.put("/a.ts", body)
        var unseen: [ObjectUpload] = []
        #expect(throws: UploadError.outOfMemory) {
            while unseen.count < 1_000 {
                var upload = try setup.open("/a.ts")
                try setup.append(body, to: &upload)
                unseen.append(upload)
            }
        }
        unseen = []
        #expect(throws: UploadError.outOfMemory) {
            for number in 0..<10_000 { try setup.putPlaylist("/\(number)/a.m3u8", ["a.ts"], announcing: ["b.ts"]) }
        }
        #expect(setup.store.heldBytes < 300 << 10)
        #expect(throws: UploadError.outOfMemory) {
            for number in 0..<10_000 { _ = try setup.open("/\(number)/a.ts") }
        }
    }

    @Test func `an older epoch's requests are refused in its folder`() throws {
        let setup = StoreSetup()
        try setup.put("/live/s/1.ts", "a", epoch: 5)
        try setup.put("/live/s/2.ts", "a", epoch: 5)
        try setup.put("/live/other/1.ts", "a", epoch: 1)
        var older = try setup.open("/live/s/source.m3u8", epoch: 5)
        try setup.append(playlist(["1.ts"]), to: &older)
        try setup.putPlaylist(["2.ts"], epoch: 6)
        #expect(throws: UploadError.olderEpoch(newest: 6)) { try setup.finish(older) }
        #expect(throws: UploadError.olderEpoch(newest: 6)) { try setup.put("/live/s/3.ts", "a", epoch: 5) }
        #expect(throws: UploadError.olderEpoch(newest: 6)) {
            try setup.store.remove(key("/live/s/1.ts"), epoch: 5, now: .at(0))
        }
        #expect(setup.get("/live/s/source.m3u8") == playlist(["2.ts"]))
        #expect(setup.get("/live/s/1.ts") == "a")
        try setup.put("/live/s/3.ts", "without")
        #expect(setup.get("/live/s/3.ts") == "without")
    }

    @Test func `epochs are forgotten when nobody has used them for long, or too many are known`() {
        var epochs = FolderEpochs()
        #expect(epochs.admit(7, folder: Folder("/a"), limit: 4, now: .at(0)) == 7)
        #expect(epochs.admit(6, folder: Folder("/a"), limit: 4, now: .at(50)) == 7)
        epochs.timePassed(now: .at(60), lifetime: .seconds(60))
        #expect(epochs.count == 0)
        for number in 0..<5 {
            #expect(epochs.admit(9, folder: Folder("/\(number)"), limit: 4, now: .at(Int64(number))) == 9)
        }
        #expect(epochs.count == 3)
        #expect(epochs.admit(1, folder: Folder("/4"), limit: 4, now: .at(9)) == 9)
        #expect(epochs.admit(1, folder: Folder("/0"), limit: 4, now: .at(9)) == 1)
    }
}
