import Foundation
import OriginServer
import Testing

/// What browsers ask (`Fetch §3.2`).
@Suite(.timeLimit(.minutes(2))) struct CORSTests {
    private static let path = Case.path
    private static let page = "https://player.example"
    private static let preflight = ["Origin: \(page)", "Access-Control-Request-Method: GET"]

    private static func asked(_ method: String, _ fields: String...) -> Request {
        Request("OPTIONS", path, ["Origin: \(page)", "Access-Control-Request-Method: \(method)"] + fields)
    }

    static let open = [
        Case(
            "GET from a page", .get(path, "Origin: \(page)"), 200,
            fields: [
                "Access-Control-Allow-Origin: *", "!Vary", "!Access-Control-Allow-Credentials",
                "Access-Control-Expose-Headers ~ .*Age.*Date.*Content-Length.*Content-Range.*ETag.*",
            ]),
        Case(
            "a 404 is seen by pages too", .get("/none.ts", "Origin: \(page)"), 404,
            fields: ["Access-Control-Allow-Origin: *"]),
        Case(
            "a refusal is seen by pages too", .get("/a/../b", "Origin: \(page)"), 400,
            fields: ["Access-Control-Allow-Origin: *"]),
        Case(
            "304 too", .get(path, "Origin: \(page)", "If-None-Match: *"), 304,
            fields: ["Access-Control-Allow-Origin: *"]),
        Case(
            "416 too", .get(path, "Origin: \(page)", "Range: bytes=10-"), 416,
            fields: ["Access-Control-Allow-Origin: *"]),
        Case(
            "a preflight for GET with a range", asked("GET", "Access-Control-Request-Headers: range"), 204,
            fields: [
                "Access-Control-Allow-Origin: *", "Access-Control-Allow-Methods ~ .*GET.*",
                "Access-Control-Allow-Headers ~ .*Range.*", "Access-Control-Max-Age: 86400",
            ], body: ""),
        Case(
            "a preflight for CMCD", asked("GET", "Access-Control-Request-Headers: cmcd-request"), 204,
            fields: ["Access-Control-Allow-Headers ~ .*CMCD-Object.*CMCD-Request.*CMCD-Session.*CMCD-Status.*"]),
        Case(
            "a preflight for what pages may not do", asked("PUT"), 204, 403,
            fields: ["!Access-Control-Allow-Methods", "!Access-Control-Allow-Headers", "!Access-Control-Max-Age"]),
        Case(
            "a plain question for the methods", .options(path), 204,
            fields: ["Allow: GET, HEAD, OPTIONS, PUT, POST, DELETE"], body: ""),
        Case("of a missing object", .options("/none.ts"), 204, fields: ["Allow"]),
        Case("of the origin as such", .options("*"), 204, fields: ["Allow"], body: ""),
    ]

    private static let rules = """
        {"AllowedMethods": ["GET", "HEAD"], "AllowedOrigins": ["https://player.example", "https://*.cdn.example"],
        "AllowedHeaders": ["Range", "X-Own"], "MaxAgeSeconds": 60}
        """

    private static func allowed(_ origin: String) -> Case {
        Case(
            "from \(origin)", .get(path, "Origin: \(origin)"), 200,
            fields: ["Access-Control-Allow-Origin: \(origin)", "Vary ~ .*Origin.*"])
    }

    private static func unknown(_ name: String, _ fields: String...) -> Case {
        Case(
            name, Request("GET", path, fields), 200,
            fields: ["!Access-Control-Allow-Origin", "Vary ~ .*Origin.*"], body: "0123456789")
    }

    static let restricted = [
        allowed(page), allowed("https://a.cdn.example"), allowed("https://a.b.cdn.example"),
        unknown("from elsewhere", "Origin: https://evil.example"),
        unknown("from what only begins like it", "Origin: \(page).evil.example"),
        unknown("from what only ends like it", "Origin: https://evilcdn.example"),
        unknown("from the same host without encryption", "Origin: http://player.example"),
        unknown("from another port", "Origin: \(page):8443"),
        unknown("from no page", "Origin: null"),
        unknown("without an origin"),
        Case(
            "a preflight", asked("GET"), 204,
            fields: [
                "Access-Control-Allow-Origin: \(page)", "Access-Control-Allow-Methods ~ .*GET.*",
                "Access-Control-Allow-Headers ~ .*X-Own.*", "Access-Control-Max-Age: 60", "Vary ~ .*Origin.*",
            ]),
        Case(
            "a preflight from elsewhere",
            .options(path, "Origin: https://evil.example", "Access-Control-Request-Method: GET"), 204, 403,
            fields: ["!Access-Control-Allow-Origin", "!Access-Control-Allow-Methods", "Vary ~ .*Origin.*"]),
        Case("a preflight for another method", asked("DELETE"), 204, 403, fields: ["!Access-Control-Allow-Methods"]),
    ]

    @Test(arguments: open, HTTPVersion.allCases)
    func `pages from anywhere may read`(row: Case, version: HTTPVersion) async throws {
        try await row.check(over: version)
    }

    @Test(arguments: restricted, HTTPVersion.allCases)
    func `with rules, those pages alone may read`(row: Case, version: HTTPVersion) async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/cors.json"
            try Data(Self.rules.utf8).write(to: URL(filePath: file))
            try await row.with { $0.files.cors = file }.check(over: version)
        }
    }
}
