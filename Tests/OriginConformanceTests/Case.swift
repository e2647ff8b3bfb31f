import OriginServer
import Testing

/// A row of the tables: what is stored, what is asked, and what must come.
///
/// Lines that are expected are `Name: value` (exactly so), `Name ~ regular expression` (all of the value matches),
/// `Name` (there) or `!Name` (not there). In the lines of a request and of what is expected, `{etag}` and `{modified}`
/// stand for those fields of the path as it is stored, and `{etag gzip}` for that of its compressed form.
struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let stored: [Request]
    let request: Request
    /// Any of these.
    let statuses: [Int]
    let fields: [String]
    /// Nil where the body does not matter.
    let body: String?
    var configure: @Sendable (inout OriginConfiguration) throws -> Void

    static let path = "/live/s/a.ts"
    /// What is stored where a row does not say otherwise.
    static let object = Request.put(path, "0123456789")

    init(
        _ name: String, stored: [Request] = [object], _ request: Request, _ statuses: Int..., fields: [String] = [],
        body: String? = nil, configure: @escaping @Sendable (inout OriginConfiguration) throws -> Void = { _ in }
    ) {
        testDescription = name
        self.stored = stored
        self.request = request
        self.statuses = statuses
        self.fields = fields
        self.body = body
        self.configure = configure
    }

    /// The same row with an origin that is set up otherwise.
    func with(_ configure: @escaping @Sendable (inout OriginConfiguration) throws -> Void) -> Case {
        var row = self
        row.configure = configure
        return row
    }

    func check(over version: HTTPVersion) async throws {
        try await withOrigin(configure) { origin in
            for upload in stored {
                let response = try await origin.send(upload, over: version)
                try #require([201, 204].contains(response.status), "storing \(upload.path): \(response.body)")
            }
            var request = request
            let values = try await placeholders(origin)
            request.fields = request.fields.map { Self.replace($0, values) }
            let response = try await origin.send(request, over: version)
            #expect(response.end == .whole, "\(response)")
            #expect(statuses.contains(response.status), "\(response.status): \(response.body.prefix(200))")
            for line in fields { try check(Self.replace(line, values), in: response) }
            if let body { #expect(response.body == body) }
            Invariants.check(response, to: request, over: version)
        }
    }

    private func placeholders(_ origin: Origin) async throws -> [(name: String, value: String)] {
        guard (request.fields + fields).contains(where: { $0.contains("{") }) else { return [] }
        let plain = try await origin.send(.head(request.path))
        let compressed = try await origin.send(.head(request.path, "Accept-Encoding: gzip"))
        return [
            ("{etag}", plain["ETag"] ?? "no tag"), ("{modified}", plain["Last-Modified"] ?? "no time"),
            ("{etag gzip}", compressed["ETag"] ?? "no tag"),
        ]
    }

    private static func replace(_ line: String, _ values: [(name: String, value: String)]) -> String {
        values.reduce(line) {
            $0.split(separator: $1.name, omittingEmptySubsequences: false).joined(separator: $1.value)
        }
    }

    private func check(_ line: String, in response: Response) throws {
        if line.hasPrefix("!") {
            let name = String(line.dropFirst())
            #expect(response[name] == nil, "\(name) must not be there")
        } else if let tilde = line.firstRange(of: " ~ ") {
            let name = String(line[..<tilde.lowerBound])
            let value = response[name]
            let matches = try Regex(String(line[tilde.upperBound...])).wholeMatch(in: value ?? "") != nil
            #expect(value != nil && matches, "\(name) is \(value ?? "missing")")
        } else if line.contains(":") {
            let (name, value) = Request.split(line)
            #expect(response[name] == value, "\(name)")
        } else {
            #expect(response[line] != nil, "\(line) must be there")
        }
    }
}
