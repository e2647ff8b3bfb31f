import NIOCore
import NIOEmbedded
import OriginStore
import TestSupport
import Testing

/// Publishers, deleters and time itself, who do anything in any order.
struct RandomUsers {
    let setup: StoreSetup
    /// Entity tags are unique with it.
    let name: String
    var random: RandomNumbers
    var uploads: [ObjectUpload] = []
    var now = NIODeadline.at(0)
    private var version = 0

    static let keys = ["/live/s", "/live/t", "/live/s/low"].flatMap { folder in
        ((0..<6).map { "\(folder)/\($0).ts" } + ["\(folder)/a.m3u8", "\(folder)/b.mpd"]).map(key)
    }

    init(_ setup: StoreSetup, name: String, seed: UInt64) {
        self.setup = setup
        self.name = name
        random = RandomNumbers(seed: seed)
    }

    mutating func step() {
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<4: open()
        case 4..<10: append()
        case 10..<14: finish()
        case 14: breakOff()
        case 15..<17: putPlaylist()
        case 17: _ = try? setup.store.remove(anyKey(), epoch: epoch(), now: now)
        case 18:
            now = now + .milliseconds(Int64.random(in: 0..<(random.oneIn(10) ? 400_000 : 8_000), using: &random))
            _ = setup.store.timePassed(now: now)
        default: _ = setup.store.find(anyKey())
        }
    }

    private mutating func anyKey() -> ObjectKey { Self.keys.randomElement(using: &random) ?? Self.keys[0] }

    private mutating func epoch() -> UInt64? { random.oneIn(4) ? UInt64.random(in: 1...2, using: &random) : nil }

    private mutating func head(_ key: ObjectKey) -> ObjectHead {
        version += 1
        let lifetimes = [nil, nil, "max-age=4", "s-maxage=90", "max-age=x"]
        return ObjectHead(
            contentType: "a/b", cacheControl: lifetimes.randomElement(using: &random) ?? nil,
            entityTag: "\"\(name)-\(version)\"")
    }

    private mutating func open() {
        let key = anyKey()
        guard let upload = try? setup.store.open(key, head: head(key), epoch: epoch(), now: now) else { return }
        uploads.append(upload)
        if uploads.count > 6 { breakOff() }
    }

    /// Mostly such bytes that another upload of the same object has the same.
    private mutating func append() {
        guard let index = uploads.indices.randomElement(using: &random) else { return }
        let count = random.oneIn(10) ? 20_000 : Int.random(in: 0..<2_000, using: &random)
        let bytes = ByteBuffer(repeating: random.oneIn(20) ? 0x62 : 0x61, count: count)
        do { try setup.store.append(bytes, to: &uploads[index], now: now) } catch {
            setup.store.breakOff(uploads.remove(at: index), now: now)
        }
    }

    private mutating func finish() {
        guard let index = uploads.indices.randomElement(using: &random) else { return }
        _ = try? setup.store.finish(uploads.remove(at: index), now: now, unixTime: 1_000)
    }

    private mutating func breakOff() {
        guard let index = uploads.indices.randomElement(using: &random) else { return }
        setup.store.breakOff(uploads.remove(at: index), now: now)
    }

    private mutating func putPlaylist() {
        let key = Self.keys.filter(\.isPlaylist).randomElement(using: &random) ?? anyKey()
        let names = (0..<Int.random(in: 0..<5, using: &random)).map { _ in Int.random(in: 0..<6, using: &random) }
        let text = key.fileExtension == "mpd" ? "<MPD/>" : playlist(names.map { "\($0).ts" }, announcing: ["5.ts"])
        guard var upload = try? setup.store.open(key, head: head(key), epoch: epoch(), now: now) else { return }
        try? setup.store.append(ByteBuffer(string: text), to: &upload, now: now)
        _ = try? setup.store.finish(upload, now: now, unixTime: 1_000)
    }
}

@Suite struct JournalTests {
    static func setup(_ journal: RecordingJournal, seed: UInt64) -> StoreSetup {
        StoreSetup(journal: journal) {
            $0.memoryLimitBytes = 96 << 10
            $0.streamMemoryLimitBytes = seed % 2 == 0 ? 64 << 10 : 90 << 10
            $0.streamObjectLimit = 9
            $0.expiresUpstream = seed % 3 == 0
        }
    }

    /// The epoch is the journal's alone: a reader does not get it.
    static func withoutEpochs(_ objects: [ObjectKey: StoredObject]) -> [ObjectKey: StoredObject] {
        objects.mapValues { StoredObject(key: $0.key, head: $0.head, body: $0.body) }
    }

    @Test func `a journal knows exactly what is complete, whatever happens`() {
        var stored = 0
        var removed = 0
        for seed in UInt64(1)...200 {
            let journal = RecordingJournal()
            let setup = Self.setup(journal, seed: seed)
            var users = RandomUsers(setup, name: "\(seed)", seed: seed)
            for step in 0..<400 {
                users.step()
                guard Self.withoutEpochs(journal.objects) == setup.store.complete(RandomUsers.keys),
                    setup.store.objectCounts == setup.store.counted(RandomUsers.keys)
                else {
                    Issue.record("seed \(seed), step \(step)")
                    return
                }
                stored = max(stored, journal.objects.count)
            }
            #expect(journal.faults == [], "seed \(seed)")
            removed += journal.removals
            // What has ended leaves nothing behind.
            users.uploads = []
            for minutes in Int64(1)...20 { _ = setup.store.timePassed(now: users.now + .minutes(minutes)) }
            let growing = RandomUsers.keys.filter { if case .growing = setup.store.find($0) { true } else { false } }
            for key in growing { _ = try? setup.store.remove(key, now: users.now) }
            _ = setup.store.timePassed(now: users.now + .minutes(21))
            #expect(journal.objects.isEmpty)
            #expect(setup.store.counts == (0, 0))
            #expect(setup.store.objectCounts == ObjectCounts())
            #expect(setup.store.heldBytes == 0, "seed \(seed)")
        }
        // Not for want of anything to tell.
        #expect(stored > 8)
        #expect(removed > 5_000)
    }

    @Test func `a journal knows exactly what is complete when many write at once`() async {
        for round in UInt64(0)..<5 {
            let journal = RecordingJournal()
            let setup = Self.setup(journal, seed: round)
            await withTaskGroup { group in
                for user in UInt64(0)..<4 {
                    group.addTask { @concurrent in
                        var users = RandomUsers(setup, name: "\(user)", seed: round * 10 + user)
                        for _ in 0..<3_000 { users.step() }
                    }
                }
            }
            #expect(Self.withoutEpochs(journal.objects) == setup.store.complete(RandomUsers.keys))
            #expect(setup.store.objectCounts == setup.store.counted(RandomUsers.keys))
            #expect(journal.faults == [])
        }
    }

    @Test func `a journal is told of the epoch and the bytes`() throws {
        let journal = RecordingJournal()
        let setup = StoreSetup(journal: journal)
        let body = String(repeating: "a", count: 100_000)
        try setup.put("/live/s/0.ts", body, epoch: 7, cacheControl: "max-age=5", at: .at(3))
        try setup.putPlaylist(["0.ts"], epoch: 8, at: .at(4))
        let segment = ObjectHead(
            contentType: "video/mp2t", cacheControl: "max-age=5", entityTag: "\"/live/s/0.ts\"", lastModified: 1_003)
        let source = ObjectHead(
            contentType: "application/vnd.apple.mpegurl", entityTag: "\"/live/s/source.m3u8\"", lastModified: 1_004)
        #expect(
            journal.objects == [
                key("/live/s/0.ts"): StoredObject(
                    key: key("/live/s/0.ts"), head: segment, body: .bytes(ByteBuffer(string: body)), epoch: 7),
                key("/live/s/source.m3u8"): StoredObject(
                    key: key("/live/s/source.m3u8"), head: source, body: .bytes(ByteBuffer(string: playlist(["0.ts"]))),
                    epoch: 8),
            ])
    }
}
