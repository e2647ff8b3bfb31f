import NIOCore
import OriginStore
import TestSupport
import Testing

@Suite struct RestoreTests {
    func stored(
        _ path: String, _ body: String, modified: Int? = 1_000, cacheControl: String? = nil, epoch: UInt64? = nil
    ) -> StoredObject {
        let head = ObjectHead(
            contentType: "a/b", cacheControl: cacheControl, entityTag: "\"\(path)\(modified ?? 0)\"",
            lastModified: modified)
        return StoredObject(key: key(path), head: head, body: .bytes(ByteBuffer(string: body)), epoch: epoch)
    }

    /// A journal that knows what is about to be restored.
    func journal(_ objects: [StoredObject]) -> RecordingJournal {
        let journal = RecordingJournal()
        for object in objects { journal.stored(object) }
        return journal
    }

    @Test func `a window is served again as it was`() throws {
        let large = String(repeating: "a", count: 100_000)
        let objects = [
            stored("/live/s/source.m3u8", playlist(["1.ts", "2.ts"], announcing: ["3.ts"]), modified: 1_002),
            stored("/live/s/1.ts", large), stored("/live/s/2.ts", "two"), stored("/live/s/0.ts", "zero"),
        ]
        let journal = journal(objects)
        let setup = StoreSetup(journal: journal)
        let restored = setup.store.restore(objects, now: .at(0), unixTime: 1_010)
        #expect(restored == (3, 1))
        #expect(["0", "1", "2", "3"].map { setup.get("/live/s/\($0).ts") } == ["zero", large, "two", "growing"])
        guard case .complete(let object, let head, _) = setup.store.find(key("/live/s/1.ts")) else {
            throw UploadError.superseded
        }
        #expect(head == objects[1].head)
        #expect([object.startedAt, object.completedAt] == [nil, nil])
        // Nothing lists 0.ts; the others live as long as the playlist, which was eight seconds old.
        #expect(setup.store.timePassed(now: .at(59)) == .init())
        #expect(setup.store.timePassed(now: .at(60)) == .init(expired: 1))
        #expect(setup.get("/live/s/0.ts") == "missing")
        #expect(setup.store.timePassed(now: .at(291)) == .init())
        #expect(setup.store.timePassed(now: .at(292)) == .init(expired: 1))
        _ = setup.store.timePassed(now: .at(400))
        #expect(setup.store.counts == (0, 0))
        #expect(journal.faults == [])
        #expect(journal.objects.isEmpty)
    }

    @Test func `a multivariant playlist of long ago is there again with those it lists`() {
        let text = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nsource.m3u8\n"
        let objects = [
            stored("/live/s/playlist.m3u8", text), stored("/live/t/playlist.m3u8", text),
            stored("/live/s/source.m3u8", playlist([]), modified: 9_000),
        ]
        let journal = journal(objects)
        let setup = StoreSetup(journal: journal)
        #expect(setup.store.restore(objects, now: .at(0), unixTime: 9_001) == (0, 2))
        #expect(setup.get("/live/s/playlist.m3u8") == text)
        #expect(setup.get("/live/t/playlist.m3u8") == "missing")
        #expect(journal.objects.count == 2)
    }

    @Test func `a publisher goes on after a restart`() throws {
        let setup = StoreSetup()
        _ = setup.store.restore(
            [stored("/live/s/0.ts", "x", epoch: 5), stored("/live/s/source.m3u8", playlist(["0.ts"]), epoch: 6)],
            now: .at(0), unixTime: 1_000)
        #expect(throws: UploadError.olderEpoch(newest: 6)) { try setup.put("/live/s/1.ts", "y", epoch: 5) }
        try setup.put("/live/s/1.ts", "y", epoch: 6)
        try setup.putPlaylist(["0.ts", "1.ts"], epoch: 6)
        #expect(setup.get("/live/s/source.m3u8") == playlist(["0.ts", "1.ts"]))
        try setup.put("/live/s/0.ts", "z", epoch: 6)
        #expect(setup.get("/live/s/0.ts") == "z")
    }

    @Test func `what is too old, does not parse or is too large is left out, and the journal hears of it`() {
        let objects = [
            stored("/live/s/old.m3u8", playlist(["0.ts"]), modified: 700),
            stored("/live/s/undated.m3u8", playlist(["0.ts"]), modified: nil),
            stored("/live/s/young.m3u8", playlist([]), modified: 701),
            stored("/live/s/future.m3u8", playlist([]), modified: 5_000),
            stored("/live/s/never.m3u8", playlist([]), modified: .min),
            stored("/live/s/ever.m3u8", playlist([]), modified: .max),
            stored("/live/s/torn.m3u8", "#EXTM3U\n#EXT-X-TARG"),
            stored("/live/s/long.m3u8", playlist([]) + String(repeating: "#x\n", count: 1_000)),
            stored("/live/s/0.ts", "x", modified: 1),
            stored("/live/s/large.ts", String(repeating: "a", count: 5_001)),
        ]
        let journal = journal(objects)
        let setup = StoreSetup(journal: journal) {
            $0.objectLimitBytes = 5_000
            $0.playlistLimitBytes = 1_000
        }
        #expect(setup.store.restore(objects, now: .at(0), unixTime: 1_000) == (1, 3))
        let kept = ["young.m3u8", "future.m3u8", "ever.m3u8", "0.ts"].map { key("/live/s/\($0)") }
        #expect(Set(journal.objects.keys) == Set(kept))
        #expect(Set(setup.store.complete(objects.map(\.key)).keys) == Set(kept))
        #expect(journal.faults == ["/live/s/undated.m3u8 has no time"])
    }

    @Test func `where not all has room the newest stays`() {
        let body = String(repeating: "a", count: 4_000)
        let objects = (0..<100).map { stored("/live/s/\($0).ts", body, modified: 1_000 - $0) }
        let journal = journal(objects)
        let setup = StoreSetup(journal: journal) {
            $0.memoryLimitBytes = 64 << 10
            $0.streamMemoryLimitBytes = 64 << 10
        }
        let restored = setup.store.restore(objects, now: .at(0), unixTime: 1_000)
        #expect((10..<16).contains(restored.objects))
        #expect(Set(journal.objects.keys) == Set((0..<restored.objects).map { key("/live/s/\($0).ts") }))
        #expect(setup.store.heldBytes <= 64 << 10)
        #expect(journal.faults == [])

        let few = StoreSetup { $0.streamObjectLimit = 5 }
        #expect(few.store.restore(objects, now: .at(0), unixTime: 1_000) == (5, 0))
        #expect(few.get("/live/s/0.ts") == body)
    }

    @Test func `the oldest goes first after a restart, whatever the order it was read in`() throws {
        let setup = StoreSetup { $0.streamObjectLimit = 3 }
        _ = setup.store.restore(
            [
                stored("/a/b/new.ts", "x", modified: 9), stored("/a/b/old.ts", "x", modified: 2),
                stored("/a/b/middle.ts", "x", modified: 5),
            ],
            now: .at(0), unixTime: 1_000)
        try setup.put("/a/b/1.ts", "x")
        #expect(["old", "middle", "new"].map { setup.get("/a/b/\($0).ts") } == ["missing", "x", "x"])
        try setup.put("/a/b/2.ts", "x")
        #expect(["middle", "new", "1", "2"].map { setup.get("/a/b/\($0).ts") } == ["missing", "x", "x", "x"])
    }

    @Test func `an uploader's max-age runs on over a restart`() {
        let setup = StoreSetup { $0.expiresUpstream = true }
        _ = setup.store.restore(
            [
                stored("/a/b/0.ts", "x", modified: 990, cacheControl: "max-age=30"),
                stored("/a/b/1.ts", "x", modified: 900, cacheControl: "max-age=30"),
                stored("/a/b/2.ts", "x", modified: .min, cacheControl: "max-age=30"),
                stored("/a/b/a.m3u8", playlist(["0.ts", "1.ts"]), modified: 1_000),
            ],
            now: .at(0), unixTime: 1_000)
        #expect(setup.store.timePassed(now: .at(0)) == .init(expired: 2))
        #expect(setup.store.timePassed(now: .at(19)) == .init())
        #expect(setup.store.timePassed(now: .at(20)) == .init(expired: 1))
    }

    @Test func `what is here already is newer`() throws {
        let objects = [
            stored("/a/b/0.ts", "old"), stored("/a/b/a.m3u8", playlist(["0.ts"])), stored("/a/b/1.ts", "old"),
        ]
        let journal = journal(objects)
        let setup = StoreSetup(journal: journal)
        try setup.put("/a/b/0.ts", "new")
        try setup.putPlaylist("/a/b/a.m3u8", ["1.ts"])
        #expect(setup.store.restore(objects, now: .at(0), unixTime: 1_000) == (1, 1))
        #expect(setup.get("/a/b/0.ts") == "new")
        #expect(setup.get("/a/b/1.ts") == "growing")
        #expect(Set(journal.objects.keys) == [key("/a/b/0.ts"), key("/a/b/a.m3u8")])
        #expect(journal.faults == [])
    }

    @Test func `what a journal holds is what a restart brings back`() {
        for seed in UInt64(1)...50 {
            let journal = RecordingJournal()
            let setup = JournalTests.setup(journal, seed: seed)
            var users = RandomUsers(setup, name: "\(seed)", seed: seed)
            for _ in 0..<300 { users.step() }
            let objects = journal.objects.values.shuffled(using: &users.random)
            let next = StoreSetup(journal: journal)
            let restored = next.store.restore(objects, now: .at(0), unixTime: 1_000)
            #expect(restored.objects + restored.playlists == objects.count)
            #expect(JournalTests.withoutEpochs(journal.objects) == next.store.complete(RandomUsers.keys))
        }
    }
}
