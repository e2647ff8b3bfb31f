import OriginAccess
import Testing

@Suite struct CORSPolicyTests {
    typealias Answer = CORSPolicy.Preflight

    static func policy(_ origins: String) throws -> CORSPolicy {
        try CORSPolicy(parsing: #"{"AllowedOrigins": [\#(origins)]}"#)
    }

    @Test func `without a file any origin may read, and caches keep one copy`() {
        let policy = CORSPolicy()
        for origin in [nil, "https://a.example", "null", "\r\nSet-Cookie: a"] {
            let allowed = policy.allowOrigin(for: origin)
            #expect(allowed.value == "*" && allowed.varies == false)
        }
        #expect(
            policy.preflight(origin: "https://a.example", method: "GET")
                == Answer(
                    allowOrigin: "*", allowMethods: "GET, HEAD, OPTIONS",
                    allowHeaders: "Range, If-None-Match, CMCD-Object, CMCD-Request, CMCD-Session, CMCD-Status",
                    maxAgeSeconds: 86_400))
        #expect(!policy.allowsCredentials)
    }

    static let matches: [(origins: String, origin: String, isAllowed: Bool)] = [
        (#""https://a.example""#, "https://a.example", true),
        (#""https://a.example""#, "http://a.example", false),
        (#""https://a.example""#, "https://a.example:8443", false),
        (#""https://a.example""#, "https://A.example", false),
        (#""https://a.example""#, "https://a.example.evil", false),
        (#""https://a.example""#, "https://evil-a.example", false),
        (#""https://a.example""#, "https://a.example/", false),
        (#""https://a.example""#, "https://a.example\r\nX: y", false),
        (#""https://a.example""#, "null", false),
        (#""https://a.example""#, "*", false),
        (#""https://a.example""#, "", false),
        (#""https://a.example:8443", "http://localhost:3000""#, "https://a.example:8443", true),
        (#""https://a.example:8443", "http://localhost:3000""#, "http://localhost:3000", true),
        (#""https://a.example:8443", "http://localhost:3000""#, "http://localhost", false),
        (#""http://[::1]:8080""#, "http://[::1]:8080", true),
        (#""http://[::1]""#, "http://[::1]", true),
        (#""capacitor://localhost""#, "capacitor://localhost", true),
        (#""https://*.example.com""#, "https://a.example.com", true),
        (#""https://*.example.com""#, "https://a.b-1.example.com", true),
        (#""https://*.example.com""#, "https://example.com", false),
        (#""https://*.example.com""#, "https://.example.com", false),
        (#""https://*.example.com""#, "https://a..example.com", false),
        (#""https://*.example.com""#, "https://evilexample.com", false),
        (#""https://*.example.com""#, "http://a.example.com", false),
        (#""https://*.example.com""#, "https://a.example.com:8443", false),
        (#""https://*.example.com""#, "https://evil.net/.example.com", false),
        (#""https://*.example.com""#, "https://evil.net:1.example.com", false),
        (#""https://*.example.com""#, "https://user@a.example.com", false),
        (#""https://*.example.com""#, "https://a\r\nX: y.example.com", false),
        (#""https://*.example.com""#, "https://*.example.com", false),
        (#""https://*.example.com:8443""#, "https://a.example.com:8443", true),
        (#""https://*.example.com:8443""#, "https://a.example.com", false),
        ("", "https://a.example", false),
    ]

    @Test(arguments: matches)
    func `a listed origin is told by itself, and every response varies`(
        origins: String, origin: String, isAllowed: Bool
    ) throws {
        let policy = try Self.policy(origins)
        let allowed = policy.allowOrigin(for: origin)
        #expect(allowed.value == (isAllowed ? origin : nil))
        #expect(allowed.varies == true)
        #expect((policy.preflight(origin: origin, method: "GET") != nil) == isAllowed)
        #expect(policy.allowOrigin(for: nil).value == nil)
        #expect(policy.allowOrigin(for: nil).varies == true)
    }

    @Test func `an asterisk beside others is any origin`() throws {
        let allowed = try Self.policy(#""https://a.example", "*""#).allowOrigin(for: "https://a.example")
        #expect(allowed.value == "*" && allowed.varies == false)
    }

    @Test func `a preflight tells what the file allows`() throws {
        let policy = try CORSPolicy(
            parsing: """
                {
                    "AllowedMethods": ["GET", "PUT"],
                    "AllowedOrigins": ["https://a.example"],
                    "AllowedHeaders": ["Content-Type", "X-Session"],
                    "MaxAgeSeconds": 60
                }
                """)
        let answer = Answer(
            allowOrigin: "https://a.example", allowMethods: "GET, PUT", allowHeaders: "Content-Type, X-Session",
            maxAgeSeconds: 60)
        #expect(policy.preflight(origin: "https://a.example", method: "GET") == answer)
        #expect(policy.preflight(origin: "https://a.example", method: "PUT") == answer)
        for method in ["HEAD", "get", "DELETE", "", "*", "GET, PUT", "PUT\r\n", nil] {
            #expect(policy.preflight(origin: "https://a.example", method: method) == nil)
        }
        #expect(policy.preflight(origin: "https://b.example", method: "GET") == nil)
        #expect(policy.preflight(origin: nil, method: "GET") == nil)
    }

    @Test func `an asterisk stands for all methods and headers`() throws {
        let policy = try CORSPolicy(parsing: #"{"AllowedMethods": ["*"], "AllowedHeaders": ["*"]}"#)
        #expect(
            policy.preflight(origin: "https://a.example", method: "PATCH")
                == Answer(allowOrigin: "*", allowMethods: "*", allowHeaders: "*", maxAgeSeconds: 86_400))
    }

    @Test func `what a file leaves out is as without a file`() throws {
        #expect(try CORSPolicy(parsing: "{}") == CORSPolicy())
        let policy = try CORSPolicy(parsing: #"{"AllowedMethods": [], "AllowedHeaders": []}"#)
        #expect(policy.preflight(origin: "https://a.example", method: "GET") == nil)
        #expect(policy.allowOrigin(for: nil).value == "*")
    }

    @Test func `pages may send cookies where their origins are listed`() throws {
        let policy = try CORSPolicy(
            parsing: #"{"AllowedOrigins": ["https://a.example"], "AllowCredentials": true}"#)
        #expect(policy.allowsCredentials)
    }

    @Test(arguments: ["[]", "null", "1", " \"AllowedMethods\"\n"])
    func `what is no JSON object is refused`(text: String) {
        let error = #expect(throws: AccessFileError.self) { try CORSPolicy(parsing: text) }
        #expect(error?.description == "the file is not a JSON object")
    }

    static let brokenFiles: [(text: String, line: Int)] = [
        ("", 1), ("\n\n{", 3), ("{]", 1), ("{\n}\n}", 3), ("\u{0}", 1), ("GET", 1),
        ("{\"AllowedMethods\":\n[\"GET\"\n", 3),
        ("{\"AllowedMethods\":\n[\"GET\",,]}", 2),
        ("{\"AllowedMethods\": [\"GET\"\n,\n]}", 3),
        ("{\"AllowedMethods\": [\"GET\"],\n}", 2),
        ("{\n\n\"AllowedMethods\" [\"GET\"]}", 3),
        ("{\n\"AllowedMethods: [\"GET\"]}", 2),
        ("{\n\"AllowedMethods\": [GET]}", 2),
        ("{\n'AllowedMethods': []}", 2),
        ("{\n\"AllowedMethods\": [\n\"G\nET\"]}", 3),
        ("{}\n// comment", 2),
        ("\n" + String(repeating: "[", count: 200), 2),
    ]

    @Test(arguments: brokenFiles)
    func `where a file stops being JSON is told by line`(text: String, line: Int) {
        let error = #expect(throws: AccessFileError.self) { try CORSPolicy(parsing: text) }
        #expect(error?.description == "line \(line): the file is not JSON from here on")
    }

    static let maxAge = "line 1: MaxAgeSeconds must be a whole number from 0 to 31536000"
    static let credentials =
        "line 1: AllowCredentials needs AllowedOrigins that are listed, without \"*\", and no \"*\" elsewhere"
    static let keys = "AllowedOrigins, AllowedMethods, AllowedHeaders, MaxAgeSeconds, AllowCredentials"

    static let faults: [(text: String, message: String)] = [
        (
            "{\n\"AllowedMethods\": [\"GET\"],\n\"AllowedMethod\": []}",
            "line 3: unknown key \"AllowedMethod\"; there are \(keys)"
        ),
        ("{\"a\\nb\": 1}", "unknown key \"a\\nb\"; there are \(keys)"),
        ("{\n\n\"AllowedMethods\": \"GET\"}", "line 3: AllowedMethods must be a list of strings"),
        (#"{"AllowedOrigins": [1]}"#, "line 1: AllowedOrigins must be a list of strings"),
        (#"{"AllowedHeaders": null}"#, "line 1: AllowedHeaders must be a list of strings"),
        (#"{"AllowCredentials": 1}"#, "line 1: AllowCredentials must be true or false"),
        (#"{"MaxAgeSeconds": -1}"#, maxAge),
        (#"{"MaxAgeSeconds": 31536001}"#, maxAge),
        (#"{"MaxAgeSeconds": 99999999999999999999}"#, maxAge),
        (#"{"MaxAgeSeconds": 1.5}"#, maxAge),
        (#"{"MaxAgeSeconds": "60"}"#, maxAge),
        (
            "{\"AllowedMethods\": [\"GET\",\n\"PU T\"]}",
            #"line 2: AllowedMethods: "PU T" is neither "*" nor a whole name such as "GET""#
        ),
        (
            #"{"AllowedHeaders": ["CMCD-*"]}"#,
            #"line 1: AllowedHeaders: "CMCD-*" is neither "*" nor a whole name such as "Range""#
        ),
        (
            #"{"AllowedHeaders": ["A\r\nSet-Cookie: b"]}"#,
            #"line 1: AllowedHeaders: "A\r\nSet-Cookie: b" is neither "*" nor a whole name such as "Range""#
        ),
        (
            #"{"AllowedHeaders": [""]}"#,
            #"line 1: AllowedHeaders: "" is neither "*" nor a whole name such as "Range""#
        ),
        (#"{"AllowCredentials": true}"#, credentials),
        (#"{"AllowedOrigins": ["https://a.example"], "AllowedHeaders": ["*"], "AllowCredentials": true}"#, credentials),
    ]

    @Test(arguments: faults)
    func `a fault is told with its line`(text: String, message: String) {
        let error = #expect(throws: AccessFileError.self) { try CORSPolicy(parsing: text) }
        #expect(error?.description == message)
    }

    @Test func `files and lists have a largest size`() {
        func error(_ text: String) -> String? {
            #expect(throws: AccessFileError.self) { try CORSPolicy(parsing: text) }?.description
        }
        let list = [String](repeating: #""GET""#, count: 100).joined(separator: ",")
        #expect(throws: Never.self) { try CORSPolicy(parsing: #"{"AllowedMethods": [\#(list)]}"#) }
        #expect(
            error(#"{"AllowedMethods": [\#(list),"GET"]}"#) == "line 1: AllowedMethods has more than 100 entries")
        #expect(error(String(repeating: " ", count: 1 << 20) + "{}") == "the file is longer than 1048576 bytes")
    }

    @Test(arguments: [
        "", "a.example", "https://", "https://a.example/", "https://a.example/live", "https://A.example",
        "HTTPS://a.example",
        "https://a.example:443", "http://a.example:80", "https://a.example:", "https://a.example:0",
        "https://a.example:08",
        "https://a.example:65536", "https://a.example:x", "https://é.example", "https://*", "https://*.",
        "https://a.*.example",
        "https://*example.com", "*.example.com", "https://*.*.example", "https://user@a.example", "https://a..example",
        "https://.a.example", "https://a.example.", "https://a.example\r\nX: y", "https://a b", "null", "https://[::1",
        "https://[]", "https://*.[::1]", "https://a.example?x", "://a.example", "1a://b", "**",
    ])
    func `what no browser sends is no origin`(origin: String) throws {
        let literal = origin.debugDescription
        let error = #expect(throws: AccessFileError.self) { try Self.policy(literal) }
        #expect(error?.reason.hasPrefix("AllowedOrigins: \(literal) is no origin as browsers send it") == true)
    }

    @Test func `random files and origins never trap, and nothing but visible ASCII is told`() {
        var random = SeededBytes(seed: 3)
        for _ in 0..<5_000 {
            let origins = (0..<3).map { _ in "https://" + random.text(alphabet: "a*.:[]1-é\\\"\u{1}") }
            let file = #"{"AllowedOrigins": ["\#(origins.joined(separator: #"", ""#))"]}"#
            guard let policy = try? CORSPolicy(parsing: file) else { continue }
            for origin in origins {
                let told = policy.allowOrigin(for: origin.replacing("*", with: "a")).value ?? ""
                #expect(told.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
            }
        }
    }
}
