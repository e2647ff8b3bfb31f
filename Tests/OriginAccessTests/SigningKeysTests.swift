import OriginAccess
import Testing

@Suite struct SigningKeysTests {
    static let secret = "0123456789abcdef0123456789abcdef"
    static let other = "fedcba9876543210fedcba9876543210"
    static let now = 1_800_000_000
    /// Made by `openssl dgst -sha256 -hmac`.
    static let code = "45efe95b2bfb5d5b2f2bd2214a3dd5c2a9c2c99ce9e89537296aaf5eabaf4d55"
    static let known = "hw-prefix=/live/show/&hw-expires=1800003600&hw-key=2026a&hw-signature=\(code)"

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

    static let expiries: [(expires: Int, expected: SignatureVerdict)] = [
        (1_800_000_001, .valid), (1_800_000_000, .expired), (1_799_999_999, .expired), (0, .expired),
        (2_116_224_000, .valid), (2_116_224_001, .invalid),
        // Milliseconds.
        (180_000_000_000, .invalid), (999_999_999_999, .invalid),
    ]

    @Test(arguments: expiries)
    func `a signature counts until its expiry, ten years ahead at most`(
        expires: Int, expected: SignatureVerdict
    ) throws {
        #expect(try Self.verdict(try Self.keys().sign(prefix: "/live", expires: expires)) == expected)
    }

    @Test(arguments: [Int.min, -1, 0, Int.max]) func `no clock makes it trap`(time: Int) throws {
        let expected: [Int: SignatureVerdict] = [.min: .invalid, -1: .valid, 0: .valid, .max: .expired]
        let verdict = try Self.verdict(try Self.keys().sign(prefix: "/live", expires: 1_000), at: time)
        #expect(verdict == expected[time])
    }

    @Test(arguments: [nil, "", "_HLS_msn=3&token=hw-prefix", "hw-other=1&x-hw-prefix=/", known.uppercased()])
    func `a query without our parameters has no signature`(query: String?) throws {
        #expect(try Self.verdict(query) == .missing)
    }

    @Test(arguments: [
        "_HLS_msn=3&\(known)&_HLS_part=1",
        "hw-signature=\(code)&hw-key=2026a&&hw-expires=1800003600&hw-prefix=/live/show/",
        "hw-prefix=%2Flive%2fsho%77%2F&hw-expires=1800003600&hw-key=%32026a&hw-signature=\(code)",
    ])
    func `parameters may stand in any order, among others, and percent-encoded`(query: String) throws {
        #expect(try Self.verdict(query) == .valid)
    }

    @Test(arguments: [
        ("/live/show/", "/live/"),
        ("/live/show/", "/live/show"),
        ("/live/show/", "//live/show/"),
        ("/live/show/", "/live/show/%"),
        ("/live/show/", "/live/show/%FF"),
        ("/live/show/", ""),
        ("1800003600", "1800003601"),
        ("1800003600", "01800003600"),
        ("1800003600", "+1800003600"),
        ("1800003600", ""),
        ("1800003600", "99999999999999999999999999999999"),
        ("2026a", "2026b"),
        ("2026a", ""),
        ("4d55", "4d5"),
        ("4d55", "4d"),
        ("4d55", "4d550"),
        ("4d55", "4d5500"),
        ("4d55", "4d5g"),
        ("4d55", "4d55&hw-prefix=/"),
        ("hw-prefix=", "hw-prefix=/&hw-prefix="),
        ("hw-key=2026a&", ""),
        ("hw-signature=", "hw-signatures="),
        ("hw-signature=\(code)", "hw-signature"),
    ])
    func `a signature that is changed is invalid`(part: String, replacement: String) throws {
        let changed = Self.known.replacing(part, with: replacement)
        #expect(changed != Self.known)
        #expect(try Self.verdict(changed) == .invalid)
    }

    @Test func `a query of more than 8,192 bytes is invalid`() throws {
        let padding = String(repeating: "x", count: 8_191 - Self.known.utf8.count)
        #expect(try Self.verdict("\(Self.known)&\(padding)") == .valid)
        #expect(try Self.verdict("\(Self.known)&\(padding)x") == .invalid)
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

    static let encoded = known.replacing("/", with: "%2F").replacing("=", with: "%3D").replacing("&", with: "%26")

    static let cookies: [(cookies: [String], expected: SignatureVerdict)] = [
        ([], .missing),
        (["a=b; c"], .missing),
        (["Headwater-Signature"], .missing),
        (["Headwater-Signature="], .missing),
        (["xHeadwater-Signature=\(known)"], .missing),
        (["headwater-signature=\(known)"], .missing),
        (["Headwater-Signature=\(known)"], .valid),
        (["a=b;Headwater-Signature=\(known) ; c=d"], .valid),
        (["a=b", "Headwater-Signature=\"\(known)\"", "c=d"], .valid),
        (["Headwater-Signature=\(encoded)"], .valid),
        (["Headwater-Signature=x; Headwater-Signature=hw-key=1; Headwater-Signature=\(known)"], .valid),
        (["Headwater-Signature=hw-key=1; Headwater-Signature=x"], .invalid),
        (["Headwater-Signature=hw-key=%"], .invalid),
    ]

    @Test(arguments: cookies) func `cookies say`(cookies: [String], expected: SignatureVerdict) throws {
        #expect(try Self.verdict(nil, cookies: cookies) == expected)
    }

    @Test func `of many signatures the first eight cookies and the query are looked at`() throws {
        let bad = [String](repeating: "Headwater-Signature=hw-key=1", count: 8)
        let good = "Headwater-Signature=\(Self.known)"
        #expect(try Self.verdict(nil, cookies: bad.dropLast() + [good]) == .valid)
        #expect(try Self.verdict(nil, cookies: bad + [good]) == .invalid)
        #expect(try Self.verdict(Self.known, cookies: bad) == .valid)
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

    static let faults: [(text: String, message: String)] = [
        ("", "the file has no key"),
        ("# comments", "the file has no key"),
        ("id", "line 1: expected KEY-ID SECRET"),
        ("\nid \(secret) more", "line 2: expected KEY-ID SECRET"),
        ("id #\(secret)", "line 1: expected KEY-ID SECRET"),
        ("i&d \(secret)", "line 1: a key's id has 1 to 64 letters, digits and - . _ ~"),
        ("\(secret)\(secret)x \(secret)", "line 1: a key's id has 1 to 64 letters, digits and - . _ ~"),
        ("id \(secret.dropLast())", "line 1: a secret has 32 to 1024 characters, this has 31"),
        ("id é\(secret)", "line 1: a secret is made of ASCII characters that print, without spaces"),
        ("id \(secret)\r\r\n", "line 1: a secret is made of ASCII characters that print, without spaces"),
        ("id \(secret)\nx \(secret)\nid \(other)", "line 3: a key of this id stands above"),
    ]

    @Test(arguments: faults)
    func `a file with a fault is refused by line, and no secret is repeated`(text: String, message: String) {
        let error = #expect(throws: AccessFileError.self) { try SigningKeys(parsing: text) }
        #expect(error?.description == message)
        #expect(error?.description.contains("0123456789") == false)
    }

    @Test func `a secret is at most 1,024 characters long, and there are at most 100 keys`() throws {
        func error(_ text: String) -> String? {
            #expect(throws: AccessFileError.self) { try SigningKeys(parsing: text) }?.description
        }
        let long = String(repeating: Self.secret, count: 32)
        #expect(throws: Never.self) { try SigningKeys(parsing: "id \(long)") }
        #expect(error("id \(long)x") == "line 1: a secret has 32 to 1024 characters, this has 1025")
        let keys = (1...100).map { "\($0) \(Self.secret)\n" }.joined()
        #expect(throws: Never.self) { try SigningKeys(parsing: keys) }
        #expect(error(keys + "101 \(Self.secret)") == "line 101: more than 100 keys")
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
