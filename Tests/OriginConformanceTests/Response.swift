import NIOCore

/// What came in answer to a request so far, the same for both versions.
struct Response: Sendable {
    enum End: Sendable, Equatable {
        /// As the framing promises: the last chunk, the promised length, END_STREAM.
        case whole
        /// Without: the connection closed, or RST_STREAM with this code.
        case cut(code: UInt32? = nil)
    }

    /// Interim statuses that came before, such as 100.
    var interim: [Int] = []
    /// 0 until the head is there.
    var status = 0
    /// Names in lower case.
    var fields: [(name: String, value: String)] = []
    var bytes = ByteBuffer()
    var end: End?
    /// The rule of framing that the response breaks.
    var violation: String?

    var body: String { String(buffer: bytes) }

    func values(_ name: String) -> [String] {
        fields.filter { $0.name == name.lowercased() }.map(\.value)
    }

    /// A field's value; of several fields their list.
    subscript(_ name: String) -> String? {
        let all = values(name)
        return all.isEmpty ? nil : all.joined(separator: ", ")
    }
}

/// A request under way: its body is sent and its response read piece by piece.
struct Exchange: Sendable {
    struct Ended: Error, CustomStringConvertible {
        let description: String
    }

    let inbox: Watched<Response>
    /// Sends a piece of the body; nil is its end.
    let write: @Sendable (ByteBuffer?) -> Void
    /// Ends it without an end: HTTP/1.1 closes the connection, HTTP/2 sends RST_STREAM.
    let abort: @Sendable () -> Void
    /// Begins to read, where it was opened paused.
    let startReading: @Sendable () -> Void

    func send(_ text: String) { write(ByteBuffer(string: text)) }

    func finish() { write(nil) }

    /// The response's head, and what else is there by then.
    func head() async throws -> Response {
        try await inbox.wait(for: "head of a response") { response in
            if response.status > 0 { return response }
            if response.end != nil { throw Ended(description: "ended without a head: \(response)") }
            return nil
        }
    }

    /// Waits for an interim response.
    func interim(_ status: Int) async throws {
        try await inbox.wait(for: "\(status)") { response -> Void? in
            if response.interim.contains(status) { return () }
            if response.status > 0 || response.end != nil {
                throw Ended(description: "\(response.status) came instead of \(status)")
            }
            return nil
        }
    }

    /// Waits until the body, from its first byte on, is this.
    func body(_ text: String) async throws {
        try await inbox.wait(for: "body '\(text.prefix(100))'") { response -> Void? in
            if response.body == text { return () }
            guard response.end == nil, text.hasPrefix(response.body) else {
                throw Ended(description: "instead of '\(text.prefix(100))' came \("\(response)".prefix(500))")
            }
            return nil
        }
    }

    /// The response once it has ended, well or not.
    func response() async throws -> Response {
        try await inbox.wait(for: "end of a response") { $0.end == nil ? nil : $0 }
    }
}
