import NIOCore
import OriginStore
import Testing

@Suite struct BoundsTests {
    let body = String(repeating: "a", count: 4_000)

    // MARK: Objects

    @Test func `a stream's oldest unlisted objects make room for new ones`() throws {
        let setup = StoreSetup { $0.streamObjectLimit = 4 }
        for number in 0..<3 { try setup.put("/live/s/\(number).ts", "x") }
        try setup.putPlaylist(["0.ts"])
        try setup.put("/live/s/3.ts", "x")
        try setup.put("/live/s/sub/folder/4.ts", "x")
        #expect(
            ["0", "1", "2", "3", "sub/folder/4"].map { setup.get("/live/s/\($0).ts") } == [
                "x", "missing", "missing", "x", "x",
            ])
        #expect(setup.store.counts == (3, 1))
    }

    @Test func `a stream whose objects are all listed or growing takes no more, and others do`() throws {
        let setup = StoreSetup { $0.streamObjectLimit = 4 }
        try setup.put("/live/s/0.ts", "x")
        try setup.putPlaylist(["0.ts"])
        _ = try setup.open("/live/s/1.ts")
        var growing = try setup.open("/live/s/2.ts")
        let refusal = UploadError.tooManyObjects(limit: 4)
        #expect(throws: refusal) { try setup.put("/live/s/3.ts", "x") }
        #expect(throws: refusal) { try setup.put("/live/s/deeper/3.ts", "x") }
        #expect(throws: refusal) { try setup.open("/live/s/other.m3u8") }
        // What is there already is none more.
        try setup.put("/live/s/0.ts", "y")
        try setup.putPlaylist(["0.ts", "1.ts"])
        try setup.append("z", to: &growing)
        try setup.finish(growing)
        try setup.put("/live/t/3.ts", "x")
        try setup.putPlaylist("/live/t/source.m3u8", ["3.ts"])
        // 2.ts is complete by now, and nothing lists it.
        try setup.put("/live/s/3.ts", "x")
        #expect(["0", "1", "2", "3"].map { setup.get("/live/s/\($0).ts") } == ["y", "growing", "missing", "x"])
        #expect(throws: Never.self) { try setup.store.remove(key("/live/s/source.m3u8"), now: .at(0)) }
        try setup.put("/live/s/4.ts", "x")
    }

    @Test func `a playlist that was opened in time is refused when the stream is full by its end`() throws {
        let setup = StoreSetup { $0.streamObjectLimit = 2 }
        var upload = try setup.open("/live/s/source.m3u8")
        try setup.append(playlist(["0.ts"]), to: &upload)
        _ = try setup.open("/live/s/0.ts")
        _ = try setup.open("/live/s/1.ts")
        #expect(throws: UploadError.tooManyObjects(limit: 2)) { try setup.finish(upload) }
        #expect(setup.get("/live/s/source.m3u8") == "missing")
    }

    @Test func `for what readers keep of gone objects nothing else has to go`() throws {
        let setup = StoreSetup {
            $0.memoryLimitBytes = 64 << 10
            $0.streamMemoryLimitBytes = 64 << 10
        }
        var kept: [GrowingObject] = []
        for number in 0..<40 {
            try setup.put("/live/s/\(number).ts", body)
            if case .complete(let object, _, _) = setup.store.find(key("/live/s/\(number).ts")) { kept.append(object) }
        }
        let there = (0..<40).filter { setup.get("/live/s/\($0).ts") != "missing" }
        #expect((10...16).contains(there.count) && there.last == 39)
        #expect(setup.store.heldBytes > 128 << 10)
        #expect(kept.allSatisfy { setup.store.isFull(for: $0) })
        kept = []
        #expect(setup.store.heldBytes <= 64 << 10)
        try setup.put("/live/s/40.ts", body)
        #expect((0...40).count { setup.get("/live/s/\($0).ts") != "missing" } == there.count)
    }

    @Test func `announcements end at the bound without a word`() throws {
        let setup = StoreSetup { $0.streamObjectLimit = 4 }
        try setup.putPlaylist([], announcing: (0..<10).map { "\($0).ts" })
        #expect(setup.store.counts == (3, 1))
        #expect(["2", "3"].map { setup.get("/live/s/\($0).ts") } == ["growing", "missing"])
        // An announced one begins, another is announced in the room that an ended one leaves.
        try setup.put("/live/s/0.ts", "x")
        try setup.putPlaylist([], announcing: (1..<10).map { "\($0).ts" })
        #expect(["0", "1", "2", "3"].map { setup.get("/live/s/\($0).ts") } == ["x", "growing", "growing", "missing"])
    }

    @Test func `what has gone does not count`() throws {
        let setup = StoreSetup { $0.streamObjectLimit = 3 }
        for round in 0..<Int64(5) {
            let start = round * 1_000
            for number in 0..<2 { try setup.put("/live/s/\(number).ts", "x", at: .at(start)) }
            try setup.putPlaylist(["0.ts", "1.ts"], at: .at(start))
            #expect(throws: UploadError.tooManyObjects(limit: 3)) { try setup.put("/live/s/2.ts", "x") }
            _ = setup.store.timePassed(now: .at(start + 300))
            _ = setup.store.timePassed(now: .at(start + 400))
            #expect(setup.store.counts == (0, 0))
        }
    }

    // MARK: Memory

    @Test func `a stream over its share loses its own oldest objects and nobody else's`() throws {
        let setup = StoreSetup {
            $0.memoryLimitBytes = 1 << 20
            $0.streamMemoryLimitBytes = 64 << 10
        }
        try setup.put("/live/older/0.ts", body)
        for number in 0..<100 { try setup.put("/live/s/\(number).ts", body) }
        #expect(setup.store.heldBytes < 80 << 10)
        #expect(setup.get("/live/older/0.ts") == body)
        #expect(["0", "99"].map { setup.get("/live/s/\($0).ts") } == ["missing", body])
    }

    @Test func `a stream whose growing objects fill its share denies nobody else`() throws {
        let setup = StoreSetup { $0.memoryLimitBytes = 256 << 10 }
        var uploads: [ObjectUpload] = []
        let refusal = UploadError.streamOutOfMemory(limitBytes: 128 << 10)
        #expect(throws: refusal) {
            for number in 0..<1_000 {
                var upload = try setup.open("/live/s/\(number).ts")
                try setup.append(body, to: &upload)
                uploads.append(upload)
            }
        }
        for number in 0..<100 { try setup.put("/live/t/\(number).ts", body) }
        #expect(setup.get("/live/t/99.ts") == body)
        #expect(throws: refusal) { try setup.append(body, to: &uploads[0]) }
        for upload in uploads { setup.store.breakOff(upload, now: .at(0)) }
        uploads = []
        _ = setup.store.timePassed(now: .at(5))
        try setup.put("/live/s/0.ts", body)
    }

    @Test func `announcements end where the stream's share is used up`() throws {
        let setup = StoreSetup { $0.streamMemoryLimitBytes = 16 << 10 }
        for number in 0..<10_000 {
            guard (try? setup.putPlaylist("/live/s/\(number).m3u8", [], announcing: ["\(number).ts"])) != nil else {
                break
            }
        }
        #expect(setup.store.heldBytes < 20 << 10)
        #expect(setup.store.counts.objects > 2)
    }

    // MARK: Cost

    /// The sweep used to walk all of them. Measured with 500,000: 70 ns.
    @Test func `a sweep of many objects with nothing due costs next to nothing`() throws {
        let setup = StoreSetup {
            $0.memoryLimitBytes = 4 << 30
            $0.streamObjectLimit = 10_000
        }
        let count = 100_000
        let resident = ProcessMemory.residentBytes
        for number in 0..<count { try setup.put("/live/\(number / 5_000)/\(number).ts", "x", at: .at(1)) }
        #expect(setup.store.counts.objects == count)
        let clock = ContinuousClock()
        let sweeps = (0..<20).map { _ in clock.measure { _ = setup.store.timePassed(now: .at(60)) } }.sorted()
        let uploads = try (0..<20).map { number in
            try clock.measure { try setup.put("/live/late/\(number).ts", "x", at: .at(1)) }
        }.sorted()
        print(
            "\(count) objects: a sweep \(sweeps[10]), an upload \(uploads[10]); an object is taken to be",
            "\(setup.store.heldBytes / count) bytes, and is \((ProcessMemory.residentBytes - resident) / count)")
        #expect(sweeps[10] < .milliseconds(1))
        #expect(uploads[10] < .milliseconds(1))
        #expect(setup.store.timePassed(now: .at(61)) == .init(expired: count + 20))
        #expect(setup.store.heldBytes == 0)
    }

    @Test func `making room among many objects costs next to nothing`() throws {
        let setup = StoreSetup {
            $0.memoryLimitBytes = 16 << 20
            $0.streamMemoryLimitBytes = 16 << 20
            $0.streamObjectLimit = 1_000_000
        }
        var number = 0
        while setup.store.heldBytes < 16 << 20 - 4_096 {
            try setup.put("/live/s/\(number).ts", "x")
            number += 1
        }
        let clock = ContinuousClock()
        let uploads = try (0..<1_000).map { late in
            try clock.measure { try setup.put("/live/s/late\(late).ts", "x") }
        }.sorted()
        print("\(number) objects in a full store: an upload \(uploads[500])")
        #expect(uploads[500] < .milliseconds(1))
        #expect(setup.get("/live/s/0.ts") == "missing")
        #expect(setup.get("/live/s/late999.ts") == "x")
    }
}
