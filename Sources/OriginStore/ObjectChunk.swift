package import NIOCore

/// A piece of an object as one HTTP chunk (`RFC 9112 §7.1`): framed once, shared by every reader.
package struct ObjectChunk: Sendable {
    /// Size line, payload and line end, ready for the socket.
    package let framed: ByteBuffer
    /// The payload alone, over the same bytes.
    package let payload: ByteBuffer

    package init(payload: ByteBuffer) {
        let size = String(payload.readableBytes, radix: 16)
        var framed = ByteBufferAllocator().buffer(capacity: size.utf8.count + 4 + payload.readableBytes)
        framed.writeString(size)
        framed.writeStaticString("\r\n")
        let start = framed.writerIndex
        framed.writeImmutableBuffer(payload)
        self.payload = framed.getSlice(at: start, length: payload.readableBytes) ?? ByteBuffer()
        framed.writeStaticString("\r\n")
        self.framed = framed
    }

    /// What a chunk takes besides its framed bytes' storage, about.
    static let overheadBytes = 128

    /// What ends a chunked body: the last chunk and an empty trailer section.
    package static let last = ByteBuffer(staticString: "0\r\n\r\n")
}
