import NIOCore

/// Reads HTTP/1.1 responses byte for byte as `RFC 9112` frames them, and takes nothing that a strict reader would not.
struct ResponseParser {
    /// The rule that is broken.
    struct Violation: Error {
        let rule: String
    }

    enum Event {
        case interim(Int)
        case head(status: Int, fields: [(name: String, value: String)])
        case body(ByteBuffer)
        case end
    }

    private enum State {
        case head
        case length(Int)
        case chunkSize
        case chunk(Int)
        case chunkEnd
        case trailers
        case untilClose
        case end
    }

    private var state = State.head
    private var buffer = ByteBuffer()
    private var isHeadRequest = false

    /// Whether bytes of a response that is not begun yet wait.
    var hasLeftover: Bool { buffer.readableBytes > 0 }

    /// Whether a close now ends the response as promised.
    var endsWithClose: Bool { if case .untilClose = state { true } else { false } }

    mutating func append(_ bytes: ByteBuffer) { buffer.writeImmutableBuffer(bytes) }

    /// What comes next; nil where bytes are missing. After an end the next response begins.
    mutating func next(isHeadRequest: Bool) throws(Violation) -> Event? {
        switch state {
        case .head:
            guard let end = buffer.readableBytesView.firstRange(of: "\r\n\r\n".utf8) else { return nil }
            let text = buffer.readString(length: end.upperBound - buffer.readableBytesView.startIndex) ?? ""
            return try readHead(text.dropLast("\r\n\r\n".count), isHeadRequest: isHeadRequest)
        case .length(let left):
            guard left > 0 else { return ended() }
            guard let piece = piece(atMost: left) else { return nil }
            state = .length(left - piece.readableBytes)
            return .body(piece)
        case .chunkSize:
            guard let line = try line() else { return nil }
            guard !line.isEmpty, line.utf8.count <= 8, line.allSatisfy(\.isHexDigit), let size = Int(line, radix: 16)
            else { throw Violation(rule: "'\(line)' is no chunk size") }
            state = size == 0 ? .trailers : .chunk(size)
            return try next(isHeadRequest: isHeadRequest)
        case .chunk(let left):
            guard let piece = piece(atMost: left) else { return nil }
            state = left > piece.readableBytes ? .chunk(left - piece.readableBytes) : .chunkEnd
            return .body(piece)
        case .chunkEnd:
            guard let line = try line() else { return nil }
            guard line.isEmpty else { throw Violation(rule: "a chunk is longer than its size") }
            state = .chunkSize
            return try next(isHeadRequest: isHeadRequest)
        case .trailers:
            guard let line = try line() else { return nil }
            return line.isEmpty ? ended() : try next(isHeadRequest: isHeadRequest)
        case .untilClose:
            return piece(atMost: .max).map { .body($0) }
        case .end:
            return ended()
        }
    }

    private mutating func ended() -> Event {
        state = .head
        return .end
    }

    private mutating func piece(atMost count: Int) -> ByteBuffer? {
        buffer.readableBytes > 0 ? buffer.readSlice(length: min(count, buffer.readableBytes)) : nil
    }

    private mutating func line() throws(Violation) -> String? {
        guard let end = buffer.readableBytesView.firstRange(of: "\r\n".utf8) else {
            guard buffer.readableBytes < 4_096 else { throw Violation(rule: "a line does not end") }
            return nil
        }
        let text = buffer.readString(length: end.upperBound - buffer.readableBytesView.startIndex) ?? ""
        return String(text.utf8.dropLast(2)) ?? ""
    }

    private mutating func readHead(_ text: Substring, isHeadRequest: Bool) throws(Violation) -> Event {
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        let statusLine = lines[0].split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard statusLine.count == 3, statusLine[0] == "HTTP/1.1", statusLine[1].utf8.count == 3,
            let status = Int(statusLine[1]), (100...599).contains(status)
        else { throw Violation(rule: "'\(lines[0])' is no status line") }
        var fields: [(name: String, value: String)] = []
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":"), !line[..<colon].isEmpty,
                line[..<colon].allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }),
                line.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
            else { throw Violation(rule: "'\(line)' is no header field") }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            fields.append((line[..<colon].lowercased(), String(value)))
        }
        if (100...199).contains(status) { return .interim(status) }
        state = try framing(status, fields, isHeadRequest: isHeadRequest)
        return .head(status: status, fields: fields)
    }

    /// How the body's end is known (`RFC 9112 §6.3`).
    private func framing(
        _ status: Int, _ fields: [(name: String, value: String)], isHeadRequest: Bool
    ) throws(Violation) -> State {
        let lengths = fields.filter { $0.name == "content-length" }
        let codings = fields.filter { $0.name == "transfer-encoding" }
        guard lengths.count + codings.count <= 1 else { throw Violation(rule: "two framings at once") }
        if isHeadRequest || status == 204 || status == 304 { return .end }
        if let coding = codings.first {
            guard coding.value == "chunked" else { throw Violation(rule: "transfer coding '\(coding.value)'") }
            return .chunkSize
        }
        guard let length = lengths.first else { return .untilClose }
        guard let count = Int(length.value), count >= 0 else { throw Violation(rule: "length '\(length.value)'") }
        return .length(count)
    }
}
