import OriginStore
import Testing

@Suite struct CachePolicyTests {
    @Test func `every class has its default`() {
        #expect(
            CachePolicy().descriptions == [
                "multivariant=public, max-age=1",
                "playlist=public, max-age={half-target}, stale-if-error={target}",
                "segment=public, max-age=31536000, immutable",
                "init=public, max-age=31536000, immutable",
                "not-found=no-store",
                "error=no-store",
            ])
    }

    @Test(arguments: [(nil, "1", "1"), (0, "1", "1"), (1, "1", "1"), (2, "1", "2"), (3, "1", "3"), (7, "3", "7")])
    func `a playlist's header follows its target duration`(target: Int?, half: String, whole: String) {
        #expect(
            CachePolicy().header(for: .playlist, targetDuration: target)
                == "public, max-age=\(half), stale-if-error=\(whole)")
    }

    @Test func `a class can be set, and passes on what the uploader sent`() throws {
        var policy = CachePolicy()
        try policy.set("segment=private, max-age=60")
        try policy.set("playlist=upstream")
        #expect(policy.header(for: .segment, upstream: "max-age=1") == "private, max-age=60")
        #expect(policy.header(for: .playlist, upstream: "max-age=1") == "max-age=1")
        #expect(policy.header(for: .playlist) == nil)
        #expect(policy.header(for: .initialization) == "public, max-age=31536000, immutable")
    }

    @Test(arguments: [
        "", "segment", "segments=no-store", "segment=", "Segment=no-store", "segment=a\r\nSet-Cookie: b", "segment=é",
        "playlist=max-age={targt}", "playlist=max-age={target", "not-found=upstream", "error=upstream",
    ])
    func `what is no policy is refused and changes nothing`(text: String) {
        var policy = CachePolicy()
        #expect(throws: CachePolicyError.self) { try policy.set(text) }
        #expect(policy == CachePolicy())
    }
}
