package import NIOCore

/// Makes chunks of messages (`RTMP 1.0 §5.3`), as a server: every message starts with a full header.
///
/// A Set Chunk Size it encodes holds from the next message on.
package struct ChunkEncoder: Sendable {
    private var chunkSize = RTMPLimits.initialChunkSize

    package init() {}

    /// Throws `messageTooLong` if the length does not fit 24 bits, `chunkSizeOutOfRange` for a chunk size of none.
    package mutating func encode(_ message: RawMessage, into buffer: inout ByteBuffer) throws(RTMPError) {
        guard message.payload.readableBytes <= RTMPLimits.longestMessageBytes
        else { throw .messageTooLong(typeID: message.typeID, bytes: message.payload.readableBytes) }
        let timestamp = ChunkTimestamp(message.timestamp)
        ChunkBasicHeader(format: .full, chunkStreamID: message.chunkStreamID).encode(into: &buffer)
        ChunkMessageHeader.full(
            timestamp: timestamp, length: message.payload.readableBytes, typeID: message.typeID,
            messageStreamID: message.messageStreamID
        ).encode(into: &buffer)
        var payload = message.payload
        while let bytes = payload.readSlice(length: min(chunkSize, payload.readableBytes)) {
            buffer.writeImmutableBuffer(bytes)
            if payload.readableBytes == 0 { break }
            ChunkBasicHeader(format: .sameEverything, chunkStreamID: message.chunkStreamID).encode(into: &buffer)
            timestamp.encodeExtension(into: &buffer)
        }
        try apply(message)
    }

    private mutating func apply(_ message: RawMessage) throws(RTMPError) {
        guard message.typeID == MessageTypeID.setChunkSize.rawValue else { return }
        guard let value = message.payload.getInteger(at: message.payload.readerIndex, as: UInt32.self)
        else { throw .messageTruncated(typeID: message.typeID) }
        guard (1...0x7FFF_FFFF).contains(value) else { throw .chunkSizeOutOfRange(value) }
        chunkSize = min(Int(value), RTMPLimits.longestMessageBytes)
    }
}
