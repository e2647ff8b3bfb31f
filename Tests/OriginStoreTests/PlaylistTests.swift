import NIOCore
import NIOEmbedded
import OriginStore
import Testing

@Suite struct PlaylistTests {
    let loop = EmbeddedEventLoop()
    let setup = StoreSetup()

    @Test func `an announced object can be waited for and is read from its first byte`() throws {
        try setup.putPlaylist([], announcing: ["a.ts"])
        let reader = try #require(setup.reader(of: "/live/s/a.ts", on: loop))
        #expect(reader.condition == .waiting)
        try setup.put("/live/s/a.ts", "one ", "two")
        loop.run()
        #expect(reader.text == "one two")
        #expect(reader.condition == .complete)
    }

    @Test func `a listed segment that has not begun is announced as well`() throws {
        try setup.put("/live/s/0.ts", "x")
        try setup.putPlaylist(["0.ts", "1.ts"])
        #expect(setup.get("/live/s/1.ts") == "growing")
    }

    @Test func `readers of an announced object are cut when no playlist lists it any more`() throws {
        try setup.putPlaylist("/live/s/a.m3u8", [], announcing: ["a.ts"])
        try setup.putPlaylist("/live/s/b.m3u8", [], announcing: ["a.ts"])
        let reader = try #require(setup.reader(of: "/live/s/a.ts", on: loop))
        try setup.putPlaylist("/live/s/a.m3u8", [], announcing: ["b.ts"])
        loop.run()
        #expect(reader.condition == .waiting)
        try setup.putPlaylist("/live/s/b.m3u8", [], announcing: ["b.ts"])
        loop.run()
        #expect(reader.condition == .aborted)
        #expect(setup.get("/live/s/a.ts") == "missing")
    }

    @Test func `what a playlist lists before its last started object was lost`() throws {
        try setup.putPlaylist([], announcing: ["0.ts", "1.ts", "2.ts"])
        let lost = try #require(setup.reader(of: "/live/s/0.ts", on: loop))
        var upload = try setup.open("/live/s/1.ts")
        try setup.append("x", to: &upload)
        try setup.putPlaylist(["0.ts"], announcing: ["1.ts", "2.ts"])
        loop.run()
        #expect(lost.condition == .aborted)
        #expect(["0", "1", "2"].map { setup.get("/live/s/\($0).ts") } == ["missing", "growing", "growing"])
    }

    @Test func `a key that a playlist names does not end its announcements`() throws {
        try setup.put("/live/s/a.key", "k")
        let text = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-KEY:METHOD=AES-128,URI=\"a.key\"\n#EXT-X-PREFETCH:0.ts\n"
        try setup.put("/live/s/source.m3u8", text)
        #expect(setup.get("/live/s/0.ts") == "growing")
        _ = setup.store.timePassed(now: .at(120))
        #expect(setup.get("/live/s/a.key") == "k")
    }

    @Test func `a gap is not waited for`() throws {
        let text = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-GAP\n#EXTINF:1,\n0.ts\n#EXTINF:1,\n1.ts\n"
        try setup.put("/live/s/source.m3u8", text)
        #expect(["0", "1"].map { setup.get("/live/s/\($0).ts") } == ["missing", "growing"])
    }

    @Test func `a playlist announces no more than the limit`() throws {
        let setup = StoreSetup { $0.announcedLimit = 3 }
        try setup.putPlaylist([], announcing: (0..<1_000).map { "\($0).ts" })
        #expect(setup.store.counts == (3, 1))
        #expect(["2", "3"].map { setup.get("/live/s/\($0).ts") } == ["growing", "missing"])
    }

    @Test(arguments: [
        "", "text", "#EXTM3U\n", "#EXTM3U\n#EXTINF:1,\na.ts\n", "#EXTM3U\n#EXT-X-TARGETDURATION:x\n",
        "\u{FEFF}#EXTM3U\n",
    ])
    func `a playlist that does not parse is refused and the version before stays`(text: String) throws {
        try setup.putPlaylist(["0.ts"])
        do throws(UploadError) {
            try setup.put("/live/s/source.m3u8", text)
            Issue.record("it was taken")
        } catch {
            guard case .playlistRefused(let reason) = error else { throw error }
            #expect(!reason.isEmpty)
        }
        #expect(setup.get("/live/s/source.m3u8") == playlist(["0.ts"]))
    }

    @Test func `a playlist is seen when whole`() throws {
        try setup.putPlaylist(["0.ts"])
        var upload = try setup.open("/live/s/source.m3u8")
        try setup.append(playlist(["0.ts"]), to: &upload)
        try setup.append("#EXTINF:1,\n1.ts\n", to: &upload)
        #expect(setup.get("/live/s/source.m3u8") == playlist(["0.ts"]))
        #expect(try setup.finish(upload) == .replaced)
        #expect(setup.get("/live/s/source.m3u8") == playlist(["0.ts", "1.ts"]))
    }

    @Test func `multivariant playlists and manifests are kept and announce nothing`() throws {
        let text = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nsource.m3u8\n"
        #expect(try setup.put("/live/s/playlist.m3u8", text) == .created)
        #expect(try setup.put("/live/s/manifest.mpd", "<MPD/>") == .created)
        #expect(setup.get("/live/s/playlist.m3u8") == text)
        #expect(setup.get("/live/s/manifest.mpd") == "<MPD/>")
        #expect(setup.store.counts == (0, 2))
        for text in ["x", "<MPD>", "<MPD type=\"dynamic\"><Period></Period>"] {
            #expect(throws: UploadError.playlistRefused(reason: "there is no whole MPD element in it")) {
                try setup.put("/live/s/manifest.mpd", text)
            }
        }
    }

    @Test func `a multivariant playlist that is stored once lives as long as one of those it lists`() throws {
        let text = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nsource.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2\nb/c.m3u8\n"
        try setup.put("/live/s/playlist.m3u8", text)
        // It is there for 300 s by itself, and the others as long after their last version.
        for seconds in stride(from: Int64(0), through: 1_000, by: 100) {
            try setup.putPlaylist("/live/s/b/c.m3u8", ["0.ts"], at: .at(seconds))
            _ = setup.store.timePassed(now: .at(seconds))
            #expect(setup.get("/live/s/playlist.m3u8") == text)
        }
        _ = setup.store.timePassed(now: .at(1_299))
        #expect(setup.get("/live/s/playlist.m3u8") == text)
        _ = setup.store.timePassed(now: .at(1_300))
        _ = setup.store.timePassed(now: .at(1_301))
        #expect(setup.store.counts == (0, 0))
    }

    @Test func `playlists that list each other or themselves end all the same`() throws {
        for name in ["a", "b"] {
            try setup.put(
                "/live/s/\(name).m3u8",
                "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=1\nb.m3u8\n")
        }
        _ = setup.store.timePassed(now: .at(300))
        #expect(setup.store.counts == (0, 0))
    }

    @Test func `what a manifest names without a number lives as long as the manifest`() throws {
        let names = #"initialization="init-$RepresentationID$.m4s" media="$RepresentationID$-$Number$.m4s""#
        let template = "<SegmentTemplate \(names)/>"
        let manifest = "<MPD><Representation id=\"0\" bandwidth='1'>\(template)</Representation></MPD>"
        try setup.put("/live/s/init-0.m4s", "init")
        try setup.put("/live/s/0-1.m4s", "media")
        for seconds in stride(from: Int64(0), through: 200, by: 20) {
            try setup.put("/live/s/manifest.mpd", manifest, at: .at(seconds))
            _ = setup.store.timePassed(now: .at(seconds))
        }
        #expect(setup.get("/live/s/init-0.m4s") == "init")
        #expect(setup.get("/live/s/0-1.m4s") == "missing")
        _ = setup.store.timePassed(now: .at(500))
        _ = setup.store.timePassed(now: .at(501))
        #expect(setup.store.counts == (0, 0))
    }

    @Test func `a playlist is compressed once a version, and what that takes is accounted for`() throws {
        let setup = StoreSetup()
        try setup.putPlaylist(["0.ts"])
        let before = setup.store.heldBytes
        var runs = 0
        func compress() throws -> ByteBuffer? {
            guard case .playlist(let playlist) = setup.store.find(key("/live/s/source.m3u8")) else {
                throw UploadError.superseded
            }
            return playlist.compressed { body in
                runs += 1
                return runs == 1 ? nil : ByteBuffer(string: "\(runs) of \(body.readableBytes)")
            }
        }
        #expect(try compress() == nil)
        let length = playlist(["0.ts"]).utf8.count
        #expect(try compress() == ByteBuffer(string: "2 of \(length)"))
        #expect(try compress() == ByteBuffer(string: "2 of \(length)"))
        #expect(setup.store.heldBytes == before + "2 of \(length)".utf8.count)
        try setup.putPlaylist(["0.ts"])
        #expect(setup.store.heldBytes == before)
        #expect(try compress() == ByteBuffer(string: "3 of \(length)"))
        #expect(try setup.store.remove(key("/live/s/source.m3u8"), now: .at(0)))
        _ = setup.store.timePassed(now: .at(0))
        #expect(setup.store.heldBytes == 0)
    }

    @Test func `a playlist's head says when it was stored`() throws {
        try setup.putPlaylist(["0.ts"], at: .at(7))
        guard case .playlist(let playlist) = setup.store.find(key("/live/s/source.m3u8")) else {
            throw UploadError.superseded
        }
        #expect(playlist.head.lastModified == 1_007)
    }

    @Test func `a playlist is not announced as media`() throws {
        try setup.putPlaylist([], announcing: ["a.m3u8", "a.ts"])
        #expect(setup.get("/live/s/a.m3u8") == "missing")
        #expect(setup.get("/live/s/a.ts") == "growing")
    }
}
