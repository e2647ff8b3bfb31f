package import NIOCore

/// Makes messages of chunks (`RTMP 1.0 §5.3`), applying Set Chunk Size and Abort itself before it hands them on.
///
/// Bytes are taken as they come, so that no more than a chunk's header is ever left waiting in the caller's buffer. A message
/// that is all there in one chunk is a slice of that buffer, and keeps the whole of it alive; any other is copied once.
package struct ChunkDecoder: NIOSingleStepByteToMessageDecoder {
    package typealias InboundOut = RawMessage

    private let limits: RTMPLimits
    private var chunkSize = RTMPLimits.initialChunkSize
    private var streams: [ChunkStream] = []
    /// The stream of the last chunk.
    private var current = 0
    /// What is still to come of the chunk whose header was read last; nil between chunks.
    private var chunkBytesLeft: Int?
    private var partialBytes = 0
    /// Received bytes of unfinished messages that are kept; the limit's to begin with.
    package var partialBytesLimit: Int

    package init(limits: RTMPLimits = RTMPLimits()) {
        self.limits = limits
        partialBytesLimit = limits.partialBytes
    }

    package mutating func decode(buffer: inout ByteBuffer) throws(RTMPError) -> RawMessage? {
        while true {
            if chunkBytesLeft == nil {
                guard try readHeader(from: &buffer) else { return nil }
            }
            if let message = try readPayload(from: &buffer) {
                try apply(message)
                return message
            }
            if chunkBytesLeft != nil { return nil }
        }
    }

    /// At the end of the bytes an unfinished message is no message.
    package mutating func decodeLast(buffer: inout ByteBuffer, seenEOF: Bool) throws(RTMPError) -> RawMessage? {
        try decode(buffer: &buffer)
    }

    /// Reads a chunk's header; false, and nothing read, if it is not all there.
    private mutating func readHeader(from buffer: inout ByteBuffer) throws(RTMPError) -> Bool {
        let start = buffer.readerIndex
        guard let basicHeader = ChunkBasicHeader.decode(from: &buffer),
            let messageHeader = ChunkMessageHeader.decode(basicHeader.format, from: &buffer)
        else {
            buffer.moveReaderIndex(to: start)
            return false
        }
        current = try index(of: basicHeader)
        if basicHeader.format != .sameEverything { giveUpMessage(current) }
        guard streams[current].begin(messageHeader, from: &buffer) else {
            buffer.moveReaderIndex(to: start)
            return false
        }
        let stream = streams[current]
        if stream.length > limits.messageBytes(typeID: stream.typeID) {
            throw .messageTooLong(typeID: stream.typeID, bytes: stream.length)
        }
        chunkBytesLeft = min(chunkSize, stream.missingBytes)
        return true
    }

    /// The place of a chunk stream, made if it is new: librtmp starts one with a ping of type 1, whose base is then 0.
    private mutating func index(of header: ChunkBasicHeader) throws(RTMPError) -> Int {
        if current < streams.count, streams[current].id == header.chunkStreamID { return current }
        if let index = streams.firstIndex(where: { $0.id == header.chunkStreamID }) { return index }
        switch header.format {
        case .full, .sameStream: break
        case .sameLength, .sameEverything: throw .chunkWithoutHeader(format: header.format.rawValue)
        }
        if streams.count >= limits.chunkStreams { throw .tooManyChunkStreams }
        streams.append(ChunkStream(id: header.chunkStreamID))
        return streams.count - 1
    }

    /// Reads what is there of the current chunk; the message, if that ends it.
    private mutating func readPayload(from buffer: inout ByteBuffer) throws(RTMPError) -> RawMessage? {
        let chunkBytes = chunkBytesLeft ?? 0
        guard let bytes = buffer.readSlice(length: min(chunkBytes, buffer.readableBytes)) else { return nil }
        if bytes.readableBytes == streams[current].length {
            return finish(bytes)
        }
        if bytes.readableBytes == 0 { return nil }
        if bytes.readableBytes > partialBytesLimit - partialBytes { throw .tooManyPartialBytes }
        partialBytes += bytes.readableBytes
        streams[current].append(bytes, initialCapacity: limits.initialMessageBytes)
        if streams[current].missingBytes == 0 {
            partialBytes -= streams[current].partialBytes
            return finish(streams[current].finish())
        }
        chunkBytesLeft = bytes.readableBytes == chunkBytes ? nil : chunkBytes - bytes.readableBytes
        return nil
    }

    private mutating func finish(_ payload: ByteBuffer) -> RawMessage {
        chunkBytesLeft = nil
        _ = streams[current].finish()
        let stream = streams[current]
        return RawMessage(
            chunkStreamID: stream.id, timestamp: stream.timestamp, typeID: stream.typeID,
            messageStreamID: stream.messageStreamID, payload: payload)
    }

    /// Set Chunk Size (`RTMP 1.0 §5.4.1`) and Abort (`§5.4.2`).
    private mutating func apply(_ message: RawMessage) throws(RTMPError) {
        guard let typeID = MessageTypeID(rawValue: message.typeID), typeID == .setChunkSize || typeID == .abort
        else { return }
        guard let value = message.payload.getInteger(at: message.payload.readerIndex, as: UInt32.self)
        else { throw .messageTruncated(typeID: message.typeID) }
        if typeID == .setChunkSize {
            guard (1...0x7FFF_FFFF).contains(value) else { throw .chunkSizeOutOfRange(value) }
            chunkSize = min(Int(value), limits.peerChunkSize)
        } else if let index = streams.firstIndex(where: { $0.id == value }) {
            giveUpMessage(index)
        }
    }

    private mutating func giveUpMessage(_ index: Int) {
        partialBytes -= streams[index].partialBytes
        _ = streams[index].finish()
    }
}
