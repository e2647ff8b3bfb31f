import NIOCore

/// The lines of a playlist (`RFC 8216bis §4.1`), told apart and counted.
struct PlaylistLines {
    enum Line: Equatable {
        /// A tag: the name without `#`, and what stands behind the first colon, empty when there is none.
        case tag(Substring, value: Substring)
        case uri(Substring)
    }

    /// Lines that are read, whatever stands in them.
    private static let linesLimit = 1 << 16

    /// The number of the line read last, from 1; 0 before the first.
    private(set) var number = 0
    private var rest: Substring.UTF8View
    private let limits: PlaylistLimits

    /// Starts behind the `#EXTM3U` of the first line.
    init(_ text: String, limits: PlaylistLimits) throws(PlaylistError) {
        guard text.utf8.count <= limits.bytes else {
            throw PlaylistError(line: 0, reason: .tooLong(limitBytes: limits.bytes))
        }
        self.limits = limits
        rest = text[...].utf8
        if let nul = text.utf8.firstIndex(of: 0) {
            throw PlaylistError(line: text.utf8[..<nul].count { $0 == .newline } + 1, reason: .containsNUL)
        }
        guard let header = try nextLine(), header.utf8.elementsEqual("#EXTM3U".utf8) else {
            throw PlaylistError(line: 1, reason: .missingHeader)
        }
    }

    /// The next line that is a tag or a URI; blank lines and comments are passed over.
    mutating func next() throws(PlaylistError) -> Line? {
        while let line = try nextLine() {
            guard number <= Self.linesLimit else { throw error(.tooManyEntries(limit: Self.linesLimit)) }
            if line.isEmpty { continue }
            guard line.utf8.first == UInt8(ascii: "#") else { return .uri(line) }
            guard line.utf8.starts(with: "#EXT".utf8) else { continue }
            let tag = line.dropFirst()
            guard let colon = tag.utf8.firstIndex(of: UInt8(ascii: ":")) else { return .tag(tag, value: "") }
            return .tag(tag[..<colon], value: tag[tag.utf8.index(after: colon)...])
        }
        return nil
    }

    /// An error at the line read last.
    func error(_ reason: PlaylistError.Reason) -> PlaylistError { PlaylistError(line: number, reason: reason) }

    /// The text of a buffer, when it is UTF-8.
    static func text(of buffer: ByteBuffer, limits: PlaylistLimits) throws(PlaylistError) -> String {
        let bytes = buffer.readableBytesView
        guard bytes.count <= limits.bytes else {
            throw PlaylistError(line: 0, reason: .tooLong(limitBytes: limits.bytes))
        }
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        let good = bytes.split(separator: .newline, omittingEmptySubsequences: false)
            .prefix { String(validating: $0, as: UTF8.self) != nil }
        throw PlaylistError(line: good.count + 1, reason: .invalidUTF8)
    }

    /// The next line without its end and without white space around it.
    private mutating func nextLine() throws(PlaylistError) -> Substring? {
        guard !rest.isEmpty else { return nil }
        let end = rest.firstIndex(of: .newline) ?? rest.endIndex
        let line = rest[..<end]
        rest = end == rest.endIndex ? rest[end...] : rest[rest.index(after: end)...]
        number += 1
        guard line.count <= limits.lineBytes else { throw error(.lineTooLong(limitBytes: limits.lineBytes)) }
        return Substring(line).trimmed
    }
}

extension UInt8 {
    fileprivate static let newline = UInt8(ascii: "\n")
}

extension Substring {
    /// Without spaces, tabs and carriage returns at its ends.
    var trimmed: Substring {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
        guard let first = utf8.firstIndex(where: { !isSpace($0) }), let last = utf8.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return Substring(utf8[first...last])
    }
}
