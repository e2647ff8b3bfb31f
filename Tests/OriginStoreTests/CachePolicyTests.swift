import OriginStore
import Testing

@Suite struct CachePolicyTests {
    @Test func `every class has its default, and the other headers have none`() {
        #expect(
            CachePolicy().descriptions == [
                "multivariant=public, max-age=1",
                "playlist=public, max-age={half-target}, stale-if-error={target}",
                "segment=public, max-age=31536000, immutable",
                "init=public, max-age=31536000, immutable",
                "not-found=no-store",
                "error=no-store",
            ])
        #expect(CachePolicy(.cdn).descriptions == [] && CachePolicy(.surrogate).descriptions == [])
    }

    @Test(arguments: [(nil, "1", "1"), (0, "1", "1"), (1, "1", "1"), (2, "1", "2"), (3, "1", "3"), (7, "3", "7")])
    func `a playlist's header follows its target duration`(target: Int?, half: String, whole: String) {
        #expect(
            CachePolicy().value(for: .playlist, targetDuration: target)
                == "public, max-age=\(half), stale-if-error=\(whole)")
    }

    @Test func `a class can be set, and passes on what the uploader sent`() throws {
        var policy = CachePolicy()
        try policy.set("segment=private, max-age=60")
        try policy.set("playlist=upstream")
        #expect(policy.value(for: .segment, upstream: "max-age=1") == "private, max-age=60")
        #expect(policy.value(for: .playlist, upstream: "max-age=1") == "max-age=1")
        #expect(policy.value(for: .playlist, upstream: "max-age=1\r\nSet-Cookie: a") == nil)
        #expect(policy.value(for: .playlist) == nil)
        #expect(policy.value(for: .initialization) == "public, max-age=31536000, immutable")
    }

    @Test func `none sends no header`() throws {
        var policy = CachePolicy()
        try policy.set("segment=none")
        #expect(policy.value(for: .segment) == nil)
        #expect(policy.descriptions.contains("segment=none"))
    }

    @Test(arguments: [
        "", "=", "segment", "segments=no-store", "segment=", "Segment=no-store", "segment=a\r\nSet-Cookie: b",
        "segment=é",
        "playlist=max-age={targt}", "playlist=max-age={target", "not-found=upstream", "error=upstream", "503=upstream",
        "404=", "399=no-store", "600=no-store", "0404=no-store", "+44=no-store", "40=no-store", "404 =no-store",
    ])
    func `what is no policy is refused and changes nothing`(text: String) {
        var policy = CachePolicy()
        #expect(throws: CachePolicyError.self) { try policy.set(text) }
        #expect(policy == CachePolicy())
    }

    // MARK: Statuses

    /// A class and a status, and the value where nothing is set, then with `error=max-age=5`, then with `503=max-age=9`
    /// and `404=max-age=8` besides.
    @Test(
        arguments: [
            (.notFound, 404, "no-store", "no-store", "max-age=8"),
            (.notFound, 200, "no-store", "no-store", "max-age=8"),
            (.error, 404, "no-store", "no-store", "max-age=8"),
            (.error, 500, "no-store", "max-age=5", "max-age=5"),
            (.error, 400, "no-store", "max-age=5", "max-age=5"),
            // What says something of the asker or the moment is kept by nobody, unless it is set by itself.
            (.error, 503, "no-store", "no-store", "max-age=9"),
            (.error, 507, "no-store", "no-store", "no-store"), (.error, 429, "no-store", "no-store", "no-store"),
            (.error, 401, "no-store", "no-store", "no-store"), (.error, 403, "no-store", "no-store", "no-store"),
            (.notFound, 403, "no-store", "no-store", "no-store"),
            // An error is an error, whatever the object.
            (.segment, 416, "no-store", "no-store", "no-store"), (.segment, 412, "no-store", "no-store", "no-store"),
            (.playlist, 503, "no-store", "no-store", "max-age=9"), (.segment, 404, "no-store", "no-store", "max-age=8"),
            (.multivariant, 304, "public, max-age=1", "public, max-age=1", "public, max-age=1"),
            (.multivariant, 206, "public, max-age=1", "public, max-age=1", "public, max-age=1"),
        ] as [(CachePolicy.Class, UInt, String, String, String)])
    func `a status has the value of its own, of its class, or none`(
        kind: CachePolicy.Class, status: UInt, plain: String, withError: String, withStatuses: String
    ) throws {
        var policy = CachePolicy()
        #expect(policy.value(for: kind, status: status) == plain)
        try policy.set("error=max-age=5")
        #expect(policy.value(for: kind, status: status) == withError)
        try policy.set("503=max-age=9")
        try policy.set("404=max-age=8")
        #expect(policy.value(for: kind, status: status) == withStatuses)
        #expect(policy.descriptions.suffix(3) == ["error=max-age=5", "404=max-age=8", "503=max-age=9"])
    }

    // MARK: The three headers

    @Test func `all headers that are set are sent`() throws {
        var policies = CachePolicies()
        #expect(policies.fields(for: .segment).map(\.name) == ["Cache-Control"])
        try policies.cdn.set("segment=max-age=600")
        try policies.cdn.set("playlist=max-age={target}")
        try policies.surrogate.set("playlist=upstream")
        try policies.surrogate.set("error=max-age=5")
        let playlist = policies.fields(for: .playlist, targetDuration: 4, upstream: "max-age=2")
        #expect(playlist.map(\.name) == ["Cache-Control", "CDN-Cache-Control", "Surrogate-Control"])
        #expect(playlist.map(\.value) == ["public, max-age=2, stale-if-error=4", "max-age=4", "max-age=2"])
        #expect(policies.fields(for: .segment).map(\.name) == ["Cache-Control", "CDN-Cache-Control"])
        #expect(policies.fields(for: .error, status: 500).map(\.value) == ["no-store", "max-age=5"])
        #expect(policies.fields(for: .error, status: 503).map(\.value) == ["no-store"])
        #expect(policies.fields(for: .segment, status: 416).map(\.value) == ["no-store"])
    }

    @Test func `an empty value takes back what was set`() throws {
        for header in [CachePolicy.Header.cdn, .surrogate] {
            var policy = CachePolicy(header)
            try policy.set("segment=max-age=600")
            try policy.set("404=max-age=1")
            #expect(policy.value(for: .segment) == "max-age=600" && policy.value(for: .notFound) == "max-age=1")
            try policy.set("segment=")
            try policy.set("404=")
            #expect(policy == CachePolicy(header))
            #expect(policy.value(for: .segment) == nil && policy.value(for: .notFound) == nil)
        }
    }

    @Test(arguments: [
        "max-age=60", "public, max-age=31536000, immutable", "no-store", "none", "upstream", "max-age={half-target}",
        "max-age=60 , stale-while-revalidate=5", "private=a",
    ])
    func `a CDN's header is a dictionary`(value: String) throws {
        var policy = CachePolicy(.cdn)
        try policy.set("segment=\(value)")
        #expect(policy.descriptions == ["segment=\(value)"])
    }

    @Test(arguments: [
        "Max-Age=60", "max-age=60,", "max-age = 60", "max-age=", "max-age=6 0", "max-age=60;x", ",", " ", "max age=60",
        "max-age=9999999999999999", "=60", "content=\"ESI/1.0\"", "max-age=60+30", "max-age={",
    ])
    func `what caches would ignore in a CDN's header is refused`(value: String) {
        var policy = CachePolicy(.cdn)
        #expect(throws: CachePolicyError.self) { try policy.set("segment=\(value)") }
        #expect(policy == CachePolicy(.cdn))
    }

    @Test func `a surrogate's header may be as older caches have it`() throws {
        var policy = CachePolicy(.surrogate)
        try policy.set("segment=max-age=60+30, content=\"ESI/1.0\"")
        #expect(policy.value(for: .segment) == "max-age=60+30, content=\"ESI/1.0\"")
    }
}
