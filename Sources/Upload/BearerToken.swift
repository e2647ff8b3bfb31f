import Synchronization

/// The token of a file's first line; nothing shows it but the header it is sent in.
package final class BearerToken: Sendable {
    private struct State {
        var value: String
        var isReadableByOthers: Bool
        var generation = 0
    }

    let path: String
    private let state: Mutex<State>

    /// In characters; what an origin of ours takes is shorter.
    private static let maximumLength = 4_096
    private static let limitBytes = 64 << 10

    /// Throws `unreadableFile` or `malformedToken`.
    init(path: String) throws(UploadError) {
        self.path = path
        let (value, isReadableByOthers) = try Self.read(path)
        state = Mutex(State(value: value, isReadableByOthers: isReadableByOthers))
    }

    /// Reads the file again. Throws as the initializer does; the token then stays as it was.
    func reload() throws(UploadError) {
        defer { state.withLock { $0.generation += 1 } }
        let (value, isReadableByOthers) = try Self.read(path)
        state.withLock { state in
            state.value = value
            state.isReadableByOthers = isReadableByOthers
        }
    }

    /// `RFC 6750 §2.1`.
    var headerLine: String { "Authorization: Bearer \(state.withLock { $0.value })" }

    /// How often it was to be read again.
    var generation: Int { state.withLock { $0.generation } }

    /// Whether every user of the host may read it from its file.
    var isReadableByOthers: Bool { state.withLock { $0.isReadableByOthers } }

    private static func read(_ path: String) throws(UploadError) -> (value: String, isReadableByOthers: Bool) {
        let file = try SmallFile(path, limitBytes: limitBytes)
        let line = file.bytes.prefix { $0 != UInt8(ascii: "\n") }
        let blanks = [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r")]
        let token = line.drop { blanks.contains($0) }.reversed().drop { blanks.contains($0) }.reversed()
        guard isToken(Array(token)) else { throw .malformedToken }
        return (String(decoding: token, as: UTF8.self), file.isReadableByOthers)
    }

    /// `RFC 6750 §2.1`, b64token.
    private static func isToken(_ bytes: [UInt8]) -> Bool {
        let body = bytes.reversed().drop { $0 == UInt8(ascii: "=") }
        guard (1...maximumLength).contains(bytes.count), !body.isEmpty else { return false }
        return body.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "-._~+/".utf8.contains(byte)
            }
        }
    }
}

extension BearerToken: CustomStringConvertible, CustomReflectable {
    package var description: String { "a token" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
