import NIOCore
import RTMP
import Testing

/// A row of a wire format's table: bytes and what they mean.
struct WireCase<Value: Sendable>: Sendable, CustomTestStringConvertible {
    var name: String
    var bytes: ByteBuffer
    var value: Value

    init(_ name: String, _ bytes: ByteBuffer, _ value: Value) {
        self.name = name
        self.bytes = bytes
        self.value = value
    }

    var testDescription: String { name }
}

/// The bytes written in hexadecimal; spaces and what is no digit are passed over.
func hex(_ text: String) -> ByteBuffer {
    let digits = text.compactMap { $0.hexDigitValue }
    var buffer = ByteBuffer()
    for index in stride(from: 0, to: digits.count - 1, by: 2) {
        buffer.writeInteger(UInt8(digits[index] << 4 | digits[index + 1]))
    }
    return buffer
}

/// Bytes that differ from their neighbours, so that a misplaced one shows.
func pattern(_ count: Int, from first: Int = 1) -> ByteBuffer {
    ByteBuffer(bytes: (0..<count).map { UInt8(truncatingIfNeeded: ($0 + first) &* 7) })
}

func + (left: ByteBuffer, right: ByteBuffer) -> ByteBuffer {
    var sum = left
    sum.writeImmutableBuffer(right)
    return sum
}

extension ByteBuffer {
    func prefix(_ count: Int) -> ByteBuffer {
        getSlice(at: readerIndex, length: min(count, readableBytes)) ?? ByteBuffer()
    }

    func dropping(_ count: Int) -> ByteBuffer {
        var rest = self
        rest.moveReaderIndex(forwardBy: min(count, readableBytes))
        return rest
    }
}

/// What a chunk decoder makes of pieces that come one after the other, and how many bytes it left.
func decodeChunks(
    _ pieces: [ByteBuffer], limits: RTMPLimits = RTMPLimits()
) throws(RTMPError) -> (messages: [RawMessage], left: Int) {
    var decoder = ChunkDecoder(limits: limits)
    var buffer = ByteBuffer()
    var messages: [RawMessage] = []
    for piece in pieces {
        buffer.writeImmutableBuffer(piece)
        while let message = try decoder.decode(buffer: &buffer) { messages.append(message) }
    }
    return (messages, buffer.readableBytes)
}

/// Decodes the bytes at once, byte by byte and divided at every place, and expects the same each time.
func expectChunks(
    _ bytes: ByteBuffer, _ expected: [RawMessage], limits: RTMPLimits = RTMPLimits(),
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let whole = try decodeChunks([bytes], limits: limits)
    #expect(whole.messages == expected, sourceLocation: sourceLocation)
    #expect(whole.left == 0, sourceLocation: sourceLocation)
    let single = (0..<bytes.readableBytes).map { bytes.dropping($0).prefix(1) }
    let dripped = try decodeChunks(single, limits: limits)
    #expect(dripped.messages == expected, "byte by byte", sourceLocation: sourceLocation)
    let step = max(1, bytes.readableBytes / 300)
    for place in stride(from: 0, to: bytes.readableBytes, by: step) {
        let divided = try decodeChunks([bytes.prefix(place), bytes.dropping(place)], limits: limits)
        #expect(divided.messages == expected, "divided at \(place)", sourceLocation: sourceLocation)
    }
}

func raw(
    _ csid: UInt32, _ timestamp: UInt32, _ typeID: MessageTypeID, _ stream: UInt32, _ payload: ByteBuffer
) -> RawMessage {
    RawMessage(
        chunkStreamID: csid, timestamp: timestamp, typeID: typeID.rawValue, messageStreamID: stream,
        payload: payload)
}
