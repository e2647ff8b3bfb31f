package import MemoryFile
package import NIOCore

/// The bytes of a complete object, wherever they are kept.
package enum ObjectBody: Sendable {
    case bytes(ByteBuffer)
    /// Out of the process's own memory, so that the kernel can send them without copying.
    case extent(FileExtent)

    /// In bytes.
    package var count: Int {
        switch self {
        case .bytes(let bytes): bytes.readableBytes
        case .extent(let extent): extent.count
        }
    }

    /// Keeps a copy of these pieces, one after the other.
    ///
    /// Small ones stay in the process's memory: sending them costs no less otherwise, and a file gives each whole pages.
    init(_ pieces: [ByteBuffer], in file: MemoryFile?) {
        let count = pieces.reduce(0) { $0 + $1.readableBytes }
        if count >= Self.leastExtentBytes, let extent = file?.store(pieces) {
            self = .extent(extent)
            return
        }
        var whole = ByteBufferAllocator().buffer(capacity: count)
        for piece in pieces { whole.writeImmutableBuffer(piece) }
        self = .bytes(whole)
    }

    /// Keeps so many bytes, which come piece by piece; nil where fewer come, or the place has no room.
    /// - Parameter next: gives at most so many bytes; none at their end.
    package init?<Failure: Error>(
        count: Int, in place: BodyPlace, _ next: (_ limitBytes: Int) throws(Failure) -> ByteBuffer
    ) throws(Failure) {
        if count >= Self.leastExtentBytes, let file = place.file {
            let extent = try file.store(count: count) { (limit) throws(Failure) in
                try next(min(limit, Self.pieceBytes))
            }
            guard let extent else { return nil }
            self = .extent(extent)
            return
        }
        var whole = ByteBufferAllocator().buffer(capacity: count)
        while whole.readableBytes < count {
            let piece = try next(min(count - whole.readableBytes, Self.pieceBytes))
            guard (1...count - whole.readableBytes).contains(piece.readableBytes) else { return nil }
            whole.writeImmutableBuffer(piece)
        }
        self = .bytes(whole)
    }

    private static let leastExtentBytes = 16 << 10

    /// What is copied at a time.
    private static let pieceBytes = 1 << 20

    /// What it takes, in bytes.
    var heldBytes: Int {
        switch self {
        case .bytes(let bytes): bytes.readableBytes
        case .extent(let extent): extent.heldBytes
        }
    }

    /// All bytes, in the process's memory; nil where they cannot be read.
    package var wholeBytes: ByteBuffer? {
        switch self {
        case .bytes(let bytes): bytes
        case .extent(let extent): extent.read(0..<extent.count)
        }
    }

    /// All bytes, one small piece after the other in the process's memory; ends before the last where one cannot be read.
    package var pieces: some Sequence<ByteBuffer> {
        stride(from: 0, to: count, by: Self.pieceBytes).lazy
            .map { bytes($0..<Swift.min($0 + Self.pieceBytes, count)) }
            .prefix { $0 != nil }
            .compactMap { $0 }
    }

    /// Some of the bytes, in the process's memory; nil for what is not within the body.
    package func bytes(_ range: Range<Int>) -> ByteBuffer? {
        switch self {
        case .bytes(let bytes):
            range.lowerBound < 0 ? nil : bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count)
        case .extent(let extent): extent.read(range)
        }
    }
}

/// Two bodies are the same where their bytes are, wherever they are kept.
extension ObjectBody: Equatable {
    package static func == (one: Self, other: Self) -> Bool {
        guard one.count == other.count, let bytes = one.wholeBytes else { return false }
        return bytes == other.wholeBytes
    }
}

/// Where the bodies of complete objects are kept.
package struct BodyPlace: Sendable {
    let file: MemoryFile?

    init(file: MemoryFile?) { self.file = file }

    /// The process's own memory.
    package static let memory = BodyPlace(file: nil)
}

/// A run of bytes of a body that is to be sent.
package struct BodyPart: Sendable {
    package let body: ObjectBody
    /// What is left of it.
    package private(set) var range: Range<Int>

    /// - Parameter range: within the body; what lies outside of it is left out.
    package init(_ body: ObjectBody, _ range: Range<Int>) {
        self.body = body
        self.range = range.clamped(to: 0..<body.count)
    }

    package init(_ bytes: ByteBuffer) {
        self.init(.bytes(bytes), 0..<bytes.readableBytes)
    }

    package var count: Int { range.count }

    /// What is left, or the start of it, in the process's memory.
    package func prefix(_ limit: Int) -> ByteBuffer? {
        body.bytes(range.prefix(limit))
    }

    /// So many bytes are sent.
    package mutating func removeFirst(_ count: Int) {
        range = range.dropFirst(max(0, count))
    }
}
