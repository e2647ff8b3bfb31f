import OriginAccess
import Testing

@Suite struct PublishTokensTests {
    static let all = "0123456789abcdef"
    static let show = "show-0123456789abcdef~._+/=="
    static let two = "two+0123456789abcdef"
    static let text = """
        # the ingests
        \(all)

        \(show) /live/show   # the show's own encoder
        \t\(two)\t/live/a%20b//c/ /vod\u{20}
        """

    static let admissions: [(token: String, path: String, expected: PublishAdmission)] = [
        (all, "/live/any/a.ts", .granted),
        (all, "/", .granted),
        (show, "/live/show", .granted),
        (show, "/live/show/a.ts", .granted),
        (show, "/live/show/deep/er/a.ts", .granted),
        (show, "/live/showcase/a.ts", .forbidden),
        (show, "/live/sho", .forbidden),
        (show, "/live", .forbidden),
        (show, "/", .forbidden),
        (show, "/LIVE/show/a.ts", .forbidden),
        (show, "/other/live/show/a.ts", .forbidden),
        (two, "/live/a b/c/d.ts", .granted),
        (two, "/live/a%20b/c/d.ts", .forbidden),
        (two, "/vod/film.ts", .granted),
        (two, "/vodka/film.ts", .forbidden),
        ("0123456789abcdeF", "/live/any/a.ts", .unauthorized),
        ("0123456789abcde", "/live/any/a.ts", .unauthorized),
        ("0123456789abcdef0", "/live/any/a.ts", .unauthorized),
        ("#", "/live/any/a.ts", .unauthorized),
        ("/live/show", "/live/show", .unauthorized),
    ]

    @Test(arguments: admissions)
    func `a token writes below its prefixes, and an unknown one nowhere`(
        token: String, path: String, expected: PublishAdmission
    ) throws {
        let tokens = try PublishTokens(parsing: Self.text)
        #expect(tokens.admission(authorization: "Bearer \(token)", path: path) == expected)
    }

    static let fields: [(field: String, isGranted: Bool)] = [
        ("Bearer 0123456789abcdef", true),
        ("bearer 0123456789abcdef", true),
        ("BEARER   0123456789abcdef  ", true),
        // user:0123456789abcdef
        ("Basic dXNlcjowMTIzNDU2Nzg5YWJjZGVm", true),
        ("bASIC dXNlcjowMTIzNDU2Nzg5YWJjZGVm", true),
        // :0123456789abcdef, with and without padding
        ("Basic OjAxMjM0NTY3ODlhYmNkZWY=", true),
        ("Basic OjAxMjM0NTY3ODlhYmNkZWY", true),
        // 0123456789abcdef alone, and as the user
        ("Basic MDEyMzQ1Njc4OWFiY2RlZg==", false),
        ("Basic MDEyMzQ1Njc4OWFiY2RlZjo=", false),
        // a:b:0123456789abcdef: the password has a colon in it
        ("Basic YTpiOjAxMjM0NTY3ODlhYmNkZWY=", false),
        ("Basic dXNlcjowMTIzNDU2Nzg5YWJjZGVm!", false),
        ("Basic =", false), ("Basic ====", false), ("Basic :", false), ("Basic \u{0}", false),
        ("0123456789abcdef", false), ("Bearer", false), ("Bearer ", false), ("", false), (" ", false),
        ("Bearer0123456789abcdef", false), ("Digest 0123456789abcdef", false),
        ("Bearer 0123456789abcdef x", false), ("Bearer 0123456789abcdef, Bearer x", false),
        ("Bearer \"0123456789abcdef\"", false),
    ]

    @Test(arguments: fields)
    func `bearer and the password of basic carry a token`(field: String, isGranted: Bool) throws {
        let tokens = try PublishTokens(parsing: Self.all)
        #expect(tokens.admission(authorization: field, path: "/a") == (isGranted ? .granted : .unauthorized))
    }

    @Test func `a field of 8,192 bytes is the longest`() throws {
        let tokens = try PublishTokens(parsing: Self.all)
        let spaces = String(repeating: " ", count: 8_192 - "Bearer\(Self.all)".utf8.count)
        #expect(tokens.admission(authorization: "Bearer\(spaces)\(Self.all)", path: "/a") == .granted)
        #expect(tokens.admission(authorization: "Bearer\(spaces) \(Self.all)", path: "/a") == .unauthorized)
    }

    @Test func `a request without the field is unauthorized`() throws {
        #expect(try PublishTokens(parsing: Self.text).admission(authorization: nil, path: "/a") == .unauthorized)
    }

    static let alphabet = "line 1: a token is made of letters, digits and - . _ ~ + / with = at its end alone"

    static let faults: [(text: String, message: String)] = [
        ("", "the file has no token"),
        ("# only\n\n  # comments", "the file has no token"),
        ("\n\nsecret-is-short", "line 3: a token has 16 to 1024 characters, this has 15"),
        ("secret-0123456789abcdef\nb\n", "line 2: a token has 16 to 1024 characters, this has 1"),
        ("================", alphabet),
        ("secret,0123456789abcdef", alphabet),
        ("secret=0123456789abcdef", alphabet),
        ("sécret0123456789abcdef", alphabet),
        ("secret\u{0}0123456789abcdef", alphabet),
        (
            "/live/secret-0123456789 /x",
            "line 1: the token comes first, then its path prefixes; it cannot begin with '/'"
        ),
        ("secret-0123456789abcdef /a live", "line 1: path prefix 2 does not begin with '/'"),
        ("secret-0123456789abcdef secret-0123456789abcdef", "line 1: path prefix 1 does not begin with '/'"),
        (
            "secret-0123456789abcdef /live/*",
            "line 1: path prefix 1 has a '*': a prefix covers all below it without one"
        ),
        (
            "secret-0123456789abcdef /a\n#\nsecret-0123456789abcdef /b",
            "line 3: the token of line 1 again: write all its prefixes there"
        ),
    ]

    @Test(arguments: faults)
    func `a file with a fault is refused by line, and no token is repeated`(text: String, message: String) {
        let error = #expect(throws: AccessFileError.self) { try PublishTokens(parsing: text) }
        #expect(error?.description == message)
        #expect(error?.description.contains("secret") == false)
    }

    @Test func `files, tokens and lists of prefixes have a largest size`() {
        func error(_ text: String) -> String? {
            #expect(throws: AccessFileError.self) { try PublishTokens(parsing: text) }?.description
        }
        let token = String(repeating: "x", count: 1_024)
        #expect(throws: Never.self) { try PublishTokens(parsing: token) }
        #expect(error("#\r\n\(token)x") == "line 2: a token has 16 to 1024 characters, this has 1025")
        let prefixes = String(repeating: " /a", count: 256)
        #expect(throws: Never.self) { try PublishTokens(parsing: token + prefixes) }
        #expect(error("\(token)\(prefixes) /a") == "line 1: more than 256 path prefixes")
        let long = String(repeating: "a", count: 1_023)
        #expect(throws: Never.self) { try PublishTokens(parsing: "\(token) /\(long)") }
        #expect(error("\(token) /\(long)a")?.hasPrefix("line 1: path prefix 1 is no path") == true)
        #expect(error(String(repeating: "#\n", count: 3 << 20)) == "the file is longer than 4194304 bytes")
    }

    @Test(arguments: [
        "/a/../b", "/a/./b", "/..", "/a%2E%2E/%2e%2e", "/a%5Cb", "/a\\b", "/%00", "/%zz", "/%f", "/é", "/%C3",
    ])
    func `a prefix that is no path of objects is refused`(prefix: String) {
        let error = #expect(throws: AccessFileError.self) {
            try PublishTokens(parsing: "0123456789abcdef /fine \(prefix)")
        }
        #expect(error?.line == 1)
        #expect(error?.reason.hasPrefix("path prefix 2 is no path") == true)
    }

    @Test func `lines may end as on Windows, and a byte order mark may stand in front`() throws {
        let tokens = try PublishTokens(parsing: "\u{FEFF}0123456789abcdef /a\r\nfedcba9876543210 /b\r\n\r\n")
        #expect(tokens.admission(authorization: "Bearer 0123456789abcdef", path: "/a") == .granted)
        #expect(tokens.admission(authorization: "Bearer fedcba9876543210", path: "/b") == .granted)
        #expect(tokens.admission(authorization: "Bearer fedcba9876543210", path: "/a") == .forbidden)
    }

    @Test func `the first, a middle and the last of the most tokens are found, and one more is refused`() throws {
        let lines = (0..<4096).map { "token-number-\(100_000 + $0) /\($0)\n" }
        let tokens = try PublishTokens(parsing: lines.joined())
        for index in [0, 1, 63, 64, 2048, 4094, 4095] {
            let field = "Bearer token-number-\(100_000 + index)"
            #expect(tokens.admission(authorization: field, path: "/\(index)/a.ts") == .granted)
            #expect(tokens.admission(authorization: field, path: "/\(index + 1)/a.ts") == .forbidden)
        }
        #expect(tokens.admission(authorization: "Bearer token-number-104096", path: "/1") == .unauthorized)
        let error = #expect(throws: AccessFileError.self) {
            try PublishTokens(parsing: lines.joined() + "token-number-200000")
        }
        #expect(error?.description == "line 4097: more than 4096 tokens")
    }

    @Test func `nothing that prints a value shows a token`() throws {
        let tokens = try PublishTokens(parsing: "secret-0123456789abcdef /live/show")
        var dumped = ""
        dump(Optional(tokens), to: &dumped)
        for text in ["\(tokens)", String(describing: Optional(tokens)), String(reflecting: tokens), dumped] {
            #expect(text.contains("1 publish token"))
            #expect(!text.contains("secret") && !text.contains("/live/show") && !text.contains("igest"))
        }
        #expect(Mirror(reflecting: tokens).children.isEmpty)
    }

    @Test func `random fields and paths never trap`() throws {
        let tokens = try PublishTokens(parsing: Self.text)
        var random = SeededBytes(seed: 1)
        for _ in 0..<5_000 {
            let scheme = ["Bearer ", "Basic ", "", "basic"].randomElement(using: &random) ?? ""
            let admission = tokens.admission(
                authorization: scheme + random.text(alphabet: "0aZ=+/: ,\t\u{0}é%"),
                path: random.text(alphabet: "/a.%é\u{0}"))
            #expect(admission == .unauthorized)
        }
    }
}
