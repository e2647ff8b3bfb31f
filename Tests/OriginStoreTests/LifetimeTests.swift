import NIOCore
import OriginStore
import Testing

@Suite struct LifetimeTests {
    @Test(arguments: [
        (nil, nil), ("", nil), ("max-age=60", 60), ("public, max-age=60", 60), ("Max-Age=60,public", 60),
        (" max-age = 60 ", 60), ("\tmax-age=60\t", 60), ("max-age=\"60\"", 60), ("max-age=0", 0), ("max-age=007", 7),
        ("max-age=60, s-maxage=5", 5), ("s-maxage=5, max-age=60", 5), ("S-MAXAGE=\"5\"", 5),
        ("max-age=1, max-age=2", 1), ("max-age=x, max-age=2", 2), ("s-maxage=x, max-age=2", 2),
        ("max-age", nil), ("max-age=", nil), ("max-age=-1", nil), ("max-age=+1", nil), ("max-age=1.5", nil),
        ("max-age=1 2", nil), ("max-age=٣", nil), ("xmax-age=1", nil), ("max-age=1x", nil),
        ("max-age=2147483647", 2_147_483_647), ("max-age=2147483648", 2_147_483_648),
        ("max-age=4294967296", 2_147_483_648), ("max-age=99999999999999999999999999", 2_147_483_648),
        ("private=\"a, max-age=5\", max-age=9", 9), ("private=\"a\\\", max-age=5\", max-age=9", 9),
        ("private=\"a, max-age=5", nil), (",,, max-age=3,,", 3), ("=, =1, max-age=4", 4), ("max-age=\"", nil),
        ("no-store, no-cache, must-revalidate", nil),
    ])
    func `an uploader's Cache-Control says how long an object lives`(value: String?, seconds: Int?) {
        let head = ObjectHead(contentType: "video/mp2t", cacheControl: value, entityTag: "\"a\"")
        #expect(head.lifetimeSeconds == seconds)
    }

    @Test func `an object lives as long as its uploader says, listed or not`() throws {
        let setup = StoreSetup { $0.expiresUpstream = true }
        try setup.put("/live/s/listed.ts", "x", cacheControl: "max-age=30", at: .at(0))
        try setup.put("/live/s/unlisted.ts", "x", cacheControl: "max-age=30", at: .at(0))
        try setup.put("/live/s/left.ts", "x", cacheControl: "public, max-age=90", at: .at(0))
        try setup.put("/live/s/without.ts", "x", at: .at(0))
        try setup.put("/live/s/now.ts", "x", cacheControl: "max-age=0", at: .at(0))
        try setup.putPlaylist(["listed.ts", "left.ts", "without.ts"], at: .at(0))
        func present(_ second: Int64) -> [String] {
            _ = setup.store.timePassed(now: .at(second))
            return ["listed", "unlisted", "left", "without", "now"].filter { setup.get("/live/s/\($0).ts") == "x" }
        }
        #expect(present(0) == ["listed", "unlisted", "left", "without"])
        #expect(present(29) == ["listed", "unlisted", "left", "without"])
        #expect(present(30) == ["left", "without"])
        try setup.putPlaylist(["listed.ts"], at: .at(30))
        #expect(present(33) == ["left", "without"])
        #expect(present(34) == ["left"])
        try setup.putPlaylist(["left.ts"], at: .at(40))
        #expect(present(89) == ["left"])
        #expect(present(90) == [])
    }

    @Test func `an uploader's max-age is nothing to a store that is not told to heed it`() throws {
        let setup = StoreSetup()
        try setup.put("/live/s/0.ts", "x", cacheControl: "max-age=5", at: .at(0))
        _ = setup.store.timePassed(now: .at(59))
        #expect(setup.get("/live/s/0.ts") == "x")
    }

    @Test func `a longer life of any size is survived`() throws {
        let setup = StoreSetup { $0.expiresUpstream = true }
        let now = NIODeadline.distantFuture - .seconds(10)
        var upload = try setup.open("/live/s/0.ts", cacheControl: "max-age=99999999999999999999", at: now)
        try setup.append("x", to: &upload, at: now)
        _ = try setup.store.finish(upload, now: now, unixTime: .max)
        #expect(setup.store.timePassed(now: now) == .init())
        #expect(setup.get("/live/s/0.ts") == "x")
    }
}
