import NIOCore

/// What the chunks of one chunk stream leave for those that follow, and the message they are building.
struct ChunkStream {
    let id: UInt32
    private(set) var timestamp: UInt32 = 0
    private(set) var length = 0
    private(set) var typeID: UInt8 = 0
    private(set) var messageStreamID: UInt32 = 0
    /// Added to the timestamp by a message that starts without a header; after a full header its timestamp (§5.3.1.2.4).
    private var delta: UInt32 = 0
    /// The last extended timestamp, while the last header that had a timestamp field had one.
    private var extendedTimestamp: UInt32?
    /// Whether a message has started and not ended.
    private(set) var isInsideMessage = false
    private var payload = ByteBuffer()

    init(id: UInt32) {
        self.id = id
    }

    /// Bytes of the unfinished message.
    var partialBytes: Int { payload.readableBytes }

    var missingBytes: Int { length - payload.readableBytes }

    /// Takes a chunk's header, and from `buffer` the extended timestamp of a chunk without one; false if that is not all there.
    ///
    /// A header in the middle of a message starts a new one: the caller gives the old one up first.
    mutating func begin(_ header: ChunkMessageHeader, from buffer: inout ByteBuffer) -> Bool {
        switch header {
        case .full(let timestamp, let length, let typeID, let messageStreamID):
            self.timestamp = timestamp.value
            self.length = length
            self.typeID = typeID
            self.messageStreamID = messageStreamID
            remember(timestamp)
        case .sameStream(let delta, let length, let typeID):
            timestamp &+= delta.value
            self.length = length
            self.typeID = typeID
            remember(delta)
        case .sameLength(let delta):
            timestamp &+= delta.value
            remember(delta)
        case .sameEverything where isInsideMessage:
            return skipRepeatedTimestamp(&buffer)
        case .sameEverything:
            // ffmpeg starts messages like this with an extended delta of their own, so nothing is compared here.
            if extendedTimestamp != nil {
                guard let value = buffer.readInteger(as: UInt32.self) else { return false }
                extendedTimestamp = value
                delta = value
            }
            timestamp &+= delta
        }
        isInsideMessage = true
        return true
    }

    private mutating func remember(_ timestamp: ChunkTimestamp) {
        delta = timestamp.value
        extendedTimestamp = timestamp.isExtended ? timestamp.value : nil
    }

    /// Skips the extended timestamp of a continuation chunk if it is there; false if that cannot be told yet.
    ///
    /// OBS before 30.1, old librtmp and some phones leave it out against §5.3.1.3: four bytes that differ are payload.
    private func skipRepeatedTimestamp(_ buffer: inout ByteBuffer) -> Bool {
        guard let extendedTimestamp else { return true }
        if let value = buffer.getInteger(at: buffer.readerIndex, as: UInt32.self) {
            if value == extendedTimestamp { buffer.moveReaderIndex(forwardBy: 4) }
            return true
        }
        // One byte that differs settles it: a short last chunk is not held back until the next message comes.
        for (offset, byte) in buffer.readableBytesView.enumerated()
        where byte != UInt8(truncatingIfNeeded: extendedTimestamp >> (24 - 8 * UInt32(offset))) {
            return true
        }
        return false
    }

    /// Copies a chunk's bytes into the message; the buffer grows with what arrives, not with what was announced.
    mutating func append(_ bytes: ByteBuffer, initialCapacity: Int) {
        if payload.readableBytes == 0 { payload.reserveCapacity(min(length, initialCapacity)) }
        payload.writeImmutableBuffer(bytes)
    }

    /// Ends the message and gives its collected bytes away.
    mutating func finish() -> ByteBuffer {
        var payload = ByteBuffer()
        swap(&payload, &self.payload)
        isInsideMessage = false
        return payload
    }
}
