import NIOCore

/// The versions of HTTP that every row of the tables is run over.
enum HTTPVersion: CaseIterable, Sendable {
    case http1
    case http2
}

/// A request as the tables write it, for either version.
struct Request: Sendable {
    var method: String
    /// The target as sent; over HTTP/2 `:path`.
    var path: String
    /// Lines of `Name: value`.
    var fields: [String]
    /// The body's pieces: over HTTP/1.1 chunks, over HTTP/2 DATA frames. Nil for a request without a body.
    var body: [String]?
    /// Whether Content-Length tells the body's length; without, HTTP/1.1 is chunked.
    var isLengthTold = true
    /// Trailer lines, sent where the length is not told.
    var trailers: [String] = []

    init(_ method: String, _ path: String, _ fields: [String] = [], body: [String]? = nil) {
        self.method = method
        self.path = path
        self.fields = fields
        self.body = body
    }

    static func get(_ path: String, _ fields: String...) -> Request { Request("GET", path, fields) }

    static func head(_ path: String, _ fields: String...) -> Request { Request("HEAD", path, fields) }

    static func options(_ path: String, _ fields: String...) -> Request { Request("OPTIONS", path, fields) }

    static func delete(_ path: String, _ fields: String...) -> Request { Request("DELETE", path, fields) }

    static func put(_ path: String, _ body: String, _ fields: String...) -> Request {
        Request("PUT", path, fields, body: [body])
    }

    static func post(_ path: String, _ body: String, _ fields: String...) -> Request {
        Request("POST", path, fields, body: [body])
    }

    /// An upload whose length is not known beforehand.
    static func stream(_ path: String, _ pieces: [String], _ fields: String..., trailers: [String] = []) -> Request {
        var request = Request("PUT", path, fields, body: pieces)
        request.isLengthTold = false
        request.trailers = trailers
        return request
    }

    /// Its fields taken apart, with Content-Length where that is told.
    var allFields: [(name: String, value: String)] {
        var all = fields.map(Self.split)
        if let body, isLengthTold {
            all.append(("Content-Length", "\(body.reduce(0) { $0 + $1.utf8.count })"))
        }
        return all
    }

    static func split(_ line: String) -> (name: String, value: String) {
        let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        return (String(parts[0]), parts.count > 1 ? String(parts[1].drop { $0 == " " }) : "")
    }
}
