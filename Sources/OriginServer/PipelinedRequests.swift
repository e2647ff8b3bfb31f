import NIOCore
import NIOHTTP1

/// Parts of requests that came ahead of the responses to those before them (`RFC 9112 §9.3.2`).
///
/// A connection reads nothing while there is one, so all of them came in a single read. What is more than is kept is not
/// answered: the last request that is kept is the connection's last.
struct PipelinedRequests {
    /// Parts that are kept, and what belongs to the last request besides; two or three make a request.
    private static let limit = 256

    private var parts: CircularBuffer<HTTPServerRequestPart> = []
    private var isFull = false

    var isEmpty: Bool { parts.isEmpty }

    var first: HTTPServerRequestPart? { parts.first }

    /// Whether the request whose head was just taken is the last one to be answered.
    var isAtLast: Bool { isFull && !parts.contains { if case .head = $0 { true } else { false } } }

    mutating func append(_ part: HTTPServerRequestPart) {
        if case .head = part, parts.count >= Self.limit { isFull = true }
        guard !isFull else { return }
        if case .body(let bytes) = part, case .body(var former)? = parts.last {
            parts.removeLast()
            former.writeImmutableBuffer(bytes)
            parts.append(.body(former))
        } else {
            parts.append(part)
        }
    }

    mutating func removeFirst() { parts.removeFirst() }

    mutating func removeAll() { parts.removeAll() }
}
