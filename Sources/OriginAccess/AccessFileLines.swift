/// A file of lines of words, divided by spaces and tabs; a word that begins with `#` begins a comment.
struct AccessFileLines {
    /// The lines that hold words, with their numbers from 1.
    let lines: [(number: Int, words: [Substring])]

    static let limitBytes = 4 << 20

    /// - Throws: ``AccessFileError`` where the file is longer than ``limitBytes``.
    init(_ text: String) throws(AccessFileError) {
        guard text.utf8.count <= Self.limitBytes else {
            throw AccessFileError("the file is longer than \(Self.limitBytes) bytes")
        }
        // Bytes are split, not characters: CR LF is one Character, and editors may put a byte order mark in front.
        let bytes = text.utf8.starts(with: "\u{FEFF}".utf8) ? text.utf8.dropFirst(3) : text.utf8[...]
        var lines: [(number: Int, words: [Substring])] = []
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            let isCRLF = line.last == UInt8(ascii: "\r")
            let words = (isCRLF ? line.dropLast() : line)
                .split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
                .prefix { $0.first != UInt8(ascii: "#") }
            if !words.isEmpty { lines.append((index + 1, words.map { Substring($0) })) }
        }
        self.lines = lines
    }
}

extension Substring {
    /// Whether there is nothing but ASCII characters that print, space excepted.
    var isVisibleASCII: Bool { utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } }

    /// Whether there is nothing but ASCII letters, digits and these further characters.
    func isAlphanumeric(or others: StaticString) -> Bool {
        let others = others.description.utf8
        return utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"):
                true
            default: others.contains(byte)
            }
        }
    }
}
