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

    private static let leastExtentBytes = 16 << 10

    private static let pageBytes = 4 << 10

    /// What it takes, in bytes.
    var heldBytes: Int {
        switch self {
        case .bytes(let bytes): bytes.readableBytes
        case .extent(let extent): (extent.count + Self.pageBytes - 1) & ~(Self.pageBytes - 1)
        }
    }

    /// All bytes, in the process's memory; nil where they cannot be read.
    package var wholeBytes: ByteBuffer? {
        switch self {
        case .bytes(let bytes): bytes
        case .extent(let extent): extent.read(0..<extent.count)
        }
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
