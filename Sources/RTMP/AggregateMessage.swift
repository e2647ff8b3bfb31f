package import NIOCore

/// Several messages in one (`RTMP 1.0 §7.1.6`), taken out one by one.
///
/// A sub-message is written as an FLV tag: type, 24-bit length, timestamp with its high byte last, 24-bit stream, data, and the
/// tag's length once more. The aggregate's message stream holds for all, and the first one's timestamp is the aggregate's.
package struct AggregateMessage: Hashable, Sendable {
    /// What has not been taken out yet.
    package private(set) var payload: ByteBuffer
    private let chunkStreamID: UInt32
    private let timestamp: UInt32
    private let messageStreamID: UInt32
    /// Added to a sub-message's timestamp, modulo 2³²; nil until the first is read.
    private var offset: UInt32?
    private var count = 0

    package init(_ raw: RawMessage) {
        payload = raw.payload
        chunkStreamID = raw.chunkStreamID
        timestamp = raw.timestamp
        messageStreamID = raw.messageStreamID
    }

    /// The next audio, video or data message; nil at the end. Other types are passed over.
    ///
    /// Throws `aggregateTruncated`, `aggregateTooLong` or `messageTooLong`; there is no next one then.
    package mutating func next(limits: RTMPLimits = RTMPLimits()) throws(RTMPError) -> RawMessage? {
        while payload.readableBytes > 0 {
            if count >= limits.aggregateMessages { throw .aggregateTooLong }
            count += 1
            let message = try readMessage(limits: limits)
            switch MessageTypeID(rawValue: message.typeID) {
            case .audio, .video, .dataAMF0, .dataAMF3: return message
            default: continue
            }
        }
        return nil
    }

    private mutating func readMessage(limits: RTMPLimits) throws(RTMPError) -> RawMessage {
        guard let typeID = payload.readInteger(as: UInt8.self),
            let length = payload.readUInt24(),
            let low = payload.readUInt24(),
            let high = payload.readInteger(as: UInt8.self),
            payload.readUInt24() != nil
        else { throw .aggregateTruncated }
        if Int(length) > limits.messageBytes(typeID: typeID) {
            throw .messageTooLong(typeID: typeID, bytes: Int(length))
        }
        guard let data = payload.readSlice(length: Int(length)) else { throw .aggregateTruncated }
        // The back pointer is of no use going forward; the last one is sometimes missing.
        if payload.readableBytes > 0, payload.readInteger(as: UInt32.self) == nil { throw .aggregateTruncated }
        let own = UInt32(high) << 24 | low
        let offset = self.offset ?? timestamp &- own
        self.offset = offset
        return RawMessage(
            chunkStreamID: chunkStreamID, timestamp: own &+ offset, typeID: typeID, messageStreamID: messageStreamID,
            payload: data)
    }

    /// The payload of an aggregate of these messages, each with its own timestamp.
    package static func encode(_ messages: [RawMessage]) -> ByteBuffer {
        var buffer = ByteBuffer()
        for message in messages {
            buffer.writeInteger(message.typeID)
            buffer.writeUInt24(UInt32(truncatingIfNeeded: message.payload.readableBytes))
            buffer.writeUInt24(message.timestamp)
            buffer.writeInteger(UInt8(truncatingIfNeeded: message.timestamp >> 24))
            buffer.writeUInt24(message.messageStreamID)
            buffer.writeImmutableBuffer(message.payload)
            buffer.writeInteger(UInt32(truncatingIfNeeded: message.payload.readableBytes + 11))
        }
        return buffer
    }
}
