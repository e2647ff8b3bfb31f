import FoundationEssentials

extension CORSPolicy {
    package static let limitBytes = 1 << 20
    package static let maximumEntries = 100
    /// One year.
    package static let maximumMaxAgeSeconds = 31_536_000

    /// Reads a file: a JSON object with any of the keys `AllowedOrigins`, `AllowedMethods`, `AllowedHeaders` (lists),
    /// `MaxAgeSeconds` and `AllowCredentials`. What is not there is as in the policy without a file.
    /// - Throws: ``AccessFileError`` with the line where it can be told.
    package init(parsing text: String) throws(AccessFileError) {
        guard text.utf8.count <= Self.limitBytes else {
            throw AccessFileError("the file is longer than \(Self.limitBytes) bytes")
        }
        if let line = JSONFault.line(in: text) {
            throw AccessFileError(line: line, "the file is not JSON from here on")
        }
        let file: CORSFile
        do {
            file = try JSONDecoder().decode(CORSFile.self, from: Data(text.utf8))
        } catch let error as CORSFile.Fault {
            throw AccessFileError(line: Self.line(of: [error.key], in: text), error.reason)
        } catch {
            throw AccessFileError("the file is not a JSON object")
        }
        self.init()
        if let values = file.origins {
            origins = try Self.origins(values, in: text)
        }
        if let values = file.methods {
            methods = try Self.tokens(values, key: "AllowedMethods", example: "GET", in: text)
        }
        if let values = file.headers {
            headers = try Self.tokens(values, key: "AllowedHeaders", example: "Range", in: text)
        }
        maxAgeSeconds = file.maxAgeSeconds ?? maxAgeSeconds
        allowsCredentials = file.allowsCredentials ?? false
        guard !allowsCredentials || (origins != nil && !methods.contains("*") && !headers.contains("*")) else {
            throw AccessFileError(
                line: Self.line(of: ["AllowCredentials"], in: text),
                "AllowCredentials needs AllowedOrigins that are listed, without \"*\", and no \"*\" elsewhere")
        }
    }

    private static func origins(_ values: [String], in text: String) throws(AccessFileError) -> [CORSOrigin]? {
        try checkCount(values, key: "AllowedOrigins", in: text)
        var origins: [CORSOrigin] = []
        for value in values where value != "*" {
            guard let origin = CORSOrigin(value) else {
                throw AccessFileError(
                    line: line(of: [value, "AllowedOrigins"], in: text),
                    "AllowedOrigins: \(shown(value)) is no origin as browsers send it: \"*\", \"https://host\", "
                        + "\"https://host:8443\" or \"https://*.host\", in lower case, without path and default port")
            }
            origins.append(origin)
        }
        return values.contains("*") ? nil : origins
    }

    /// Values that are tokens (`RFC 9110 §5.6.2`), so that a header can carry them.
    private static func tokens(
        _ values: [String], key: String, example: String, in text: String
    ) throws(AccessFileError) -> [String] {
        try checkCount(values, key: key, in: text)
        for value in values {
            let isToken =
                !value.isEmpty && value.utf8.count <= 128
                && Substring(value).isAlphanumeric(or: "!#$%&'+-.^_`|~")
            guard isToken || value == "*" else {
                throw AccessFileError(
                    line: line(of: [value, key], in: text),
                    "\(key): \(shown(value)) is neither \"*\" nor a whole name such as \"\(example)\"")
            }
        }
        return values
    }

    private static func checkCount(_ values: [String], key: String, in text: String) throws(AccessFileError) {
        guard values.count <= maximumEntries else {
            throw AccessFileError(line: line(of: [key], in: text), "\(key) has more than \(maximumEntries) entries")
        }
    }

    /// The line of the first of these texts that stands in the file as a JSON string without escapes; 0 without one.
    private static func line(of candidates: [String], in text: String) -> Int {
        for candidate in candidates {
            guard let found = text.utf8.firstRange(of: "\"\(candidate)\"".utf8) else { continue }
            return 1 + text.utf8[..<found.lowerBound].count { $0 == UInt8(ascii: "\n") }
        }
        return 0
    }

    /// Quoted, with control characters escaped, and cut.
    private static func shown(_ value: String) -> String { String(value.prefix(100)).debugDescription }
}

/// The file as it stands, before its values are looked at.
private struct CORSFile: Decodable {
    struct Fault: Error {
        var key: String
        var reason: String
    }

    struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    static let keys = ["AllowedOrigins", "AllowedMethods", "AllowedHeaders", "MaxAgeSeconds", "AllowCredentials"]

    var origins: [String]?
    var methods: [String]?
    var headers: [String]?
    var maxAgeSeconds: Int?
    var allowsCredentials: Bool?

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        for key in container.allKeys.map(\.stringValue).sorted() where !Self.keys.contains(key) {
            throw Fault(
                key: key,
                reason: "unknown key \(String(key.prefix(100)).debugDescription); there are "
                    + Self.keys.joined(separator: ", "))
        }
        func value<Value: Decodable>(_ name: String, _ type: Value.Type, _ kind: String) throws -> Value? {
            let key = Key(stringValue: name)
            guard container.contains(key) else { return nil }
            do {
                return try container.decode(type, forKey: key)
            } catch {
                throw Fault(key: name, reason: "\(name) must be \(kind)")
            }
        }
        origins = try value("AllowedOrigins", [String].self, "a list of strings")
        methods = try value("AllowedMethods", [String].self, "a list of strings")
        headers = try value("AllowedHeaders", [String].self, "a list of strings")
        let range = 0...CORSPolicy.maximumMaxAgeSeconds
        maxAgeSeconds = try value("MaxAgeSeconds", Int.self, "a whole number from 0 to \(range.upperBound)")
        guard range.contains(maxAgeSeconds ?? 0) else {
            throw Fault(
                key: "MaxAgeSeconds", reason: "MaxAgeSeconds must be a whole number from 0 to \(range.upperBound)")
        }
        allowsCredentials = try value("AllowCredentials", Bool.self, "true or false")
    }
}
