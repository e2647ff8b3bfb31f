import NIOCore
import NIOHTTP1

/// A response's status line and header fields, written straight to bytes.
struct ResponseHead {
    private var buffer: ByteBuffer

    /// Begins with what every response carries: Date, Server, and the constant CORS fields (`Fetch §3.2`).
    init(_ status: HTTPResponseStatus, unixTime: Int, allocator: ByteBufferAllocator) {
        buffer = allocator.buffer(capacity: 640)
        buffer.writeString("HTTP/1.1 \(status.code) \(status.reasonPhrase)\r\n")
        buffer.writeString("Date: \(HTTPDate.text(unixTime: unixTime))\r\n")
        buffer.writeStaticString(
            """
            Server: headwater-origin\r
            Access-Control-Allow-Origin: *\r
            Access-Control-Expose-Headers: Age, Date, Content-Length, Content-Range, ETag\r
            Timing-Allow-Origin: *\r

            """)
    }

    mutating func add(_ name: StaticString, _ value: String) {
        buffer.writeStaticString(name)
        buffer.writeStaticString(": ")
        buffer.writeString(value)
        buffer.writeStaticString("\r\n")
    }

    /// The head with its empty line.
    consuming func finished() -> ByteBuffer {
        buffer.writeStaticString("\r\n")
        return buffer
    }
}
