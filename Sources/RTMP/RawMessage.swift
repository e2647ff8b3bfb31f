package import NIOCore

/// A message as the chunk stream carries it: a header and bytes nobody has looked into yet (`RTMP 1.0 §5.3`).
package struct RawMessage: Hashable, Sendable {
    /// 2…65599.
    package var chunkStreamID: UInt32
    /// Milliseconds, modulo 2³².
    package var timestamp: UInt32
    package var typeID: UInt8
    package var messageStreamID: UInt32
    package var payload: ByteBuffer

    package init(
        chunkStreamID: UInt32, timestamp: UInt32, typeID: UInt8, messageStreamID: UInt32, payload: ByteBuffer
    ) {
        self.chunkStreamID = chunkStreamID
        self.timestamp = timestamp
        self.typeID = typeID
        self.messageStreamID = messageStreamID
        self.payload = payload
    }
}

/// The message types (`RTMP 1.0 §5.4, §6.2, §7.1`).
package enum MessageTypeID: UInt8, Sendable, CaseIterable {
    case setChunkSize = 1
    case abort = 2
    case acknowledgement = 3
    case userControl = 4
    case windowAcknowledgementSize = 5
    case setPeerBandwidth = 6
    case audio = 8
    case video = 9
    case dataAMF3 = 15
    case sharedObjectAMF3 = 16
    case commandAMF3 = 17
    case dataAMF0 = 18
    case sharedObjectAMF0 = 19
    case commandAMF0 = 20
    case aggregate = 22
}
