/// A request as it is written, on a connection of its own that is closed after the answer.
struct RawRequest: Sendable {
    struct NoAnswer: Error {}

    /// Method and target.
    var line: String
    var fields: [String] = []
    var body = ""
    var version = "HTTP/1.1"

    /// Sends it; gives the answer's status.
    func send(to port: Int) async throws -> Int {
        let connection = try await RawConnection(port: port)
        let lines = ["\(line) \(version)", "Host: a", "Connection: close"] + fields
        await connection.send(Array((lines.joined(separator: "\r\n") + "\r\n\r\n\(body)").utf8))
        let answer = String(decoding: try await connection.untilClosed(), as: UTF8.self)
        let words = answer.prefix { $0 != "\r\n" }.split(separator: " ")
        guard words.count > 1, let status = Int(words[1]) else { throw NoAnswer() }
        return status
    }

    static func put(_ path: String, _ body: String, _ fields: String...) -> RawRequest {
        RawRequest(line: "PUT \(path)", fields: fields + ["Content-Length: \(body.utf8.count)"], body: body)
    }

    static func get(_ path: String, _ fields: String...) -> RawRequest {
        RawRequest(line: "GET \(path)", fields: fields)
    }
}
