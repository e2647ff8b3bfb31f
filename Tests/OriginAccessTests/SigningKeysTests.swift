import OriginAccess
import Testing

@Suite struct SigningKeysTests {
    static let secret = "0123456789abcdef0123456789abcdef"
    static let other = "fedcba9876543210fedcba9876543210"
    static let now = 1_800_000_000
    /// Made by `openssl dgst -sha256 -hmac`.
    static let known =
        "hw-prefix=/live/show/&hw-expires=1800003600&hw-key=2026a"
        + "&hw-signature=45efe95b2bfb5d5b2f2bd2214a3dd5c2a9c2c99ce9e89537296aaf5eabaf4d55"

    static func keys(_ text: String = "2026a \(secret)") throws -> SigningKeys { try SigningKeys(parsing: text) }

    static func verdict(
        _ query: String?, cookies: [String] = [], path: String = "/live/show/a.ts", at time: Int = now
    ) throws -> SignatureVerdict {
        try keys().verdict(query: query.map { $0[...] }, cookies: cookies, path: path, unixTime: time)
    }

    @Test func `a signature is what openssl makes of the same words`() throws {
        #expect(try Self.keys().sign(prefix: "/live/show/", expires: 1_800_003_600) == Self.known)
        #expect(try Self.verdict(Self.known) == .valid)
    }

    @Test(arguments: [
        ("/live/show/", "/live/show/a.ts", true),
        ("/live/show/", "/live/show", true),
        ("/live/show", "/live/show/a.ts", true),
        ("/live/show", "/live/show/deep/a.ts", true),
        ("/live/show", "/live/showcase/a.ts", false),
        ("/live/show/", "/live/showcase/a.ts", false),
        ("/live/show/a.ts", "/live/show/a.ts", true),
        ("/live/show/a.ts", "/live/show/b.ts", false),
        ("/live/show", "/live", false),
        ("/", "/live/show/a.ts", true),
        ("/live/my show/é+&=%", "/live/my show/é+&=%/a.ts", true),
        ("/live/my show/é+&=%", "/live/my%20show/é+&=%/a.ts", false),
        ("/a&hw-expires=1&hw-key=x", "/a&hw-expires=1&hw-key=x/b", true),
        ("/a&hw-expires=1&hw-key=x", "/a", false),
    ])
    func `a signature opens what is below its prefix`(prefix: String, path: String, isValid: Bool) throws {
        let query = try Self.keys().sign(prefix: prefix, expires: Self.now + 1)
        #expect(try Self.verdict(query, path: path) == (isValid ? .valid : .invalid))
        #expect(
            try Self.verdict(nil, cookies: ["Headwater-Signature=" + query], path: path)
                == (isValid ? .valid : .invalid))
    }

    @Test(arguments: [
        (now + 1, SignatureVerdict.valid), (now, .expired), (now - 1, .expired), (0, .expired),
        (now + 3_660 * 86_400, .valid), (now + 3_660 * 86_400 + 1, .invalid),
        // Milliseconds.
        (now * 100, .invalid), (999_999_999_999, .invalid),
    ])
    func `a signature counts until its expiry, ten years ahead at most`(expires: Int, expected: SignatureVerdict) throws
    {
        #expect(try Self.verdict(try Self.keys().sign(prefix: "/live", expires: expires)) == expected)
    }

    @Test(arguments: [Int.min, -1, 0, Int.max]) func `no clock makes it trap`(time: Int) throws {
        let verdict = try Self.verdict(try Self.keys().sign(prefix: "/live", expires: 1_000), at: time)
        #expect(verdict == [Int.min: .invalid, -1: .valid, 0: .valid, Int.max: .expired][time])
    }

    @Test(arguments: [
        (nil, SignatureVerdict.missing),
        ("", .missing),
        ("_HLS_msn=3&token=hw-prefix", .missing),
        ("hw-other=1&x-hw-prefix=/", .missing),
        ("_HLS_msn=3&\(known)&_HLS_part=1", .valid),
        (
            "hw-signature=45efe95b2bfb5d5b2f2bd2214a3dd5c2a9c2c99ce9e89537296aaf5eabaf4d55&hw-key=2026a&&hw-expires=1800003600&hw-prefix=/live/show/",
            .valid
        ),
        (known.replacing("/live/show/", with: "%2Flive%2fsho%77%2F"), .valid),
        (known.replacing("/live/show/", with: "/live/"), .invalid),
        (known.replacing("/live/show/", with: "/live/show"), .invalid),
        (known.replacing("/live/show/", with: "/live/show/%"), .invalid),
        (known.replacing("/live/show/", with: "/live/show/%FF"), .invalid),
        (known.replacing("1800003600", with: "1800003601"), .invalid),
        (known.replacing("1800003600", with: "01800003600"), .invalid),
        (known.replacing("1800003600", with: "+1800003600"), .invalid),
        (known.replacing("1800003600", with: ""), .invalid),
        (known.replacing("1800003600", with: "99999999999999999999999999999999"), .invalid),
        (known.replacing("2026a", with: "2026b"), .invalid),
        (known.replacing("2026a", with: ""), .invalid),
        ("hw-prefix=/live/show/", .invalid),
        ("hw-signature", .invalid),
        (known + "0", .invalid),
        (known + "00", .invalid),
        (String(known.dropLast()), .invalid),
        (String(known.dropLast(2)), .invalid),
        (String(known.dropLast()) + "g", .invalid),
        (known + "&hw-prefix=/", .invalid),
        ("hw-prefix=/&" + known, .invalid),
        (known.uppercased(), .missing),
        (known + "&" + String(repeating: "x", count: 8192), .invalid),
    ])
    func `a query says`(query: String?, expected: SignatureVerdict) throws {
        #expect(try Self.verdict(query) == expected)
    }

    @Test func `hexadecimal digits may be capitals`() throws {
        let parts = Self.known.split(separator: "hw-signature=")
        #expect(try Self.verdict(parts[0] + "hw-signature=" + parts[1].uppercased()) == .valid)
    }

    @Test(arguments: 0..<256) func `with any bit of the code turned over it is invalid`(bit: Int) throws {
        var query = Array(Self.known.utf8)
        let at = query.count - 1 - bit / 4
        let digits = Array("0123456789abcdef".utf8)
        let value = try #require(digits.firstIndex(of: query[at]))
        query[at] = digits[value ^ 1 << (bit % 4)]
        #expect(try Self.verdict(String(decoding: query, as: UTF8.self)) == .invalid)
    }

    @Test(arguments: [
        ([], SignatureVerdict.missing),
        (["a=b; c"], .missing),
        (["Headwater-Signature"], .missing),
        (["Headwater-Signature="], .missing),
        (["xHeadwater-Signature=\(known)"], .missing),
        (["headwater-signature=\(known)"], .missing),
        (["Headwater-Signature=\(known)"], .valid),
        (["a=b;Headwater-Signature=\(known) ; c=d"], .valid),
        (["a=b", "Headwater-Signature=\"\(known)\"", "c=d"], .valid),
        (
            [
                "Headwater-Signature="
                    + known.replacing("%", with: "%25").replacing("/", with: "%2F")
                    .replacing("=", with: "%3D").replacing("&", with: "%26")
            ], .valid
        ),
        (["Headwater-Signature=x; Headwater-Signature=hw-key=1; Headwater-Signature=\(known)"], .valid),
        (["Headwater-Signature=hw-key=1; Headwater-Signature=x"], .invalid),
        (["Headwater-Signature=hw-key=%"], .invalid),
        ([String(repeating: "Headwater-Signature=hw-key=1;", count: 20) + "Headwater-Signature=\(known)"], .invalid),
    ])
    func `cookies say`(cookies: [String], expected: SignatureVerdict) throws {
        #expect(try Self.verdict(nil, cookies: cookies) == expected)
    }

    @Test func `the better of query and cookies counts`() throws {
        let expired = try Self.keys().sign(prefix: "/live", expires: Self.now)
        let cookie = "Headwater-Signature="
        #expect(try Self.verdict(expired, cookies: [cookie + Self.known]) == .valid)
        #expect(try Self.verdict(Self.known, cookies: [cookie + expired]) == .valid)
        #expect(try Self.verdict("hw-key=1", cookies: [cookie + expired]) == .expired)
        #expect(try Self.verdict("_HLS_msn=1", cookies: [cookie + "hw-key=1"]) == .invalid)
    }

    @Test func `the first key signs, each verifies, and one that is taken off no longer`() throws {
        let before = try Self.keys("old \(Self.secret)")
        let during = try Self.keys("# rotation\nnew \(Self.other)\r\nold \(Self.secret)\n")
        let after = try Self.keys("new \(Self.other)")
        func verdict(_ keys: SigningKeys, _ query: String) -> SignatureVerdict {
            keys.verdict(query: query[...], cookies: [], path: "/a/b", unixTime: 0)
        }
        let old = try before.sign(prefix: "/a", expires: 9)
        let new = try during.sign(prefix: "/a", expires: 9)
        #expect(verdict(before, old) == .valid && verdict(during, old) == .valid && verdict(after, old) == .invalid)
        #expect(verdict(before, new) == .invalid && verdict(during, new) == .valid && verdict(after, new) == .valid)
        #expect(try during.sign(prefix: "/a", expires: 9, keyID: "old") == old)
        // Another key under the same id.
        #expect(verdict(try Self.keys("old \(Self.other)"), old) == .invalid)
    }

    @Test func `what cannot be signed is refused`() throws {
        let keys = try Self.keys()
        #expect(throws: SigningError.notAPath) { try keys.sign(prefix: "live", expires: 1) }
        #expect(throws: SigningError.notAPath) { try keys.sign(prefix: "/a/../b", expires: 1) }
        #expect(throws: SigningError.notAPath) { try keys.sign(prefix: "/a\r\nb", expires: 1) }
        #expect(throws: SigningError.expiryOutOfRange) { try keys.sign(prefix: "/", expires: -1) }
        #expect(throws: SigningError.expiryOutOfRange) { try keys.sign(prefix: "/", expires: .max) }
        #expect(throws: SigningError.unknownKey) { try keys.sign(prefix: "/", expires: 1, keyID: "x") }
    }

    @Test(arguments: [
        ("", "the file has no key"),
        ("# comments", "the file has no key"),
        ("id", "line 1: expected KEY-ID SECRET"),
        ("\nid \(secret) more", "line 2: expected KEY-ID SECRET"),
        ("id #\(secret)", "line 1: expected KEY-ID SECRET"),
        ("i&d \(secret)", "line 1: a key's id has 1 to 64 letters, digits and - . _ ~"),
        (
            String(repeating: "i", count: 65) + " \(secret)",
            "line 1: a key's id has 1 to 64 letters, digits and - . _ ~"
        ),
        ("id \(secret.dropLast())", "line 1: a secret has 32 to 1024 characters, this has 31"),
        ("id " + String(repeating: secret, count: 33), "line 1: a secret has 32 to 1024 characters, this has 1056"),
        ("id é\(secret)", "line 1: a secret is made of ASCII characters that print, without spaces"),
        ("id \(secret)\r\r\n", "line 1: a secret is made of ASCII characters that print, without spaces"),
        ("id \(secret)\nx \(secret)\nid \(other)", "line 3: a key of this id stands above"),
        ((0...100).map { "\($0) \(secret)\n" }.joined(), "line 101: more than 100 keys"),
    ])
    func `a file with a fault is refused by line, and no secret is repeated`(text: String, message: String) {
        let error = #expect(throws: AccessFileError.self) { try SigningKeys(parsing: text) }
        #expect(error?.description == message)
        #expect(error?.description.contains("0123456789") == false)
    }

    @Test func `nothing that prints a value shows a secret`() throws {
        let keys = try Self.keys()
        var dumped = ""
        dump([keys], to: &dumped)
        for text in ["\(keys)", String(reflecting: keys), "\([keys])", dumped] {
            #expect(text.contains("1 signing key"))
            #expect(!text.contains("0123456789abcdef") && !text.contains("2026a"))
        }
        #expect(Mirror(reflecting: keys).children.isEmpty)
    }

    @Test func `random queries and cookies never trap, and open nothing`() throws {
        let keys = try Self.keys()
        var random = SeededBytes(seed: 2)
        let names = ["hw-prefix=", "hw-expires=", "hw-key=", "hw-signature=", "Headwater-Signature=", "&", ";", "\""]
        for _ in 0..<5_000 {
            let text = (0..<8).map { _ in
                (names.randomElement(using: &random) ?? "") + random.text(alphabet: "/%2f09&;=\"é\u{0}a.")
            }.joined()
            let verdict = keys.verdict(query: text[...], cookies: [text], path: "/" + text, unixTime: Self.now)
            #expect(verdict == .missing || verdict == .invalid)
        }
    }
}
