/// Every limit a peer is held to, and the sizes we announce to it.
package struct RTMPLimits: Hashable, Sendable {
    package init() {}

    // MARK: Time

    /// From the accepted socket to the last byte of C2.
    package var handshakeDeadline: Duration = .seconds(10)
    /// From the end of the handshake, or of the last publish, to the next accepted publish.
    package var publishDeadline: Duration = .seconds(15)
    /// Without a byte received, while publishing; pings cannot be used for this, since OBS never answers one.
    package var publishIdleDeadline: Duration = .seconds(20)
    /// How long the socket stays open after a refusal, so that the refusal arrives.
    package var refusalLinger: Duration = .milliseconds(200)

    // MARK: Chunks (`RTMP 1.0 §5.3`)

    /// The chunk size of both directions until Set Chunk Size says otherwise, in bytes.
    package static let initialChunkSize = 128
    /// The longest message the 24-bit length can tell, in bytes; every chunk size from here on means the same.
    package static let longestMessageBytes = 0xFF_FFFF
    /// The chunk size we announce before the answer to `connect`, in bytes; it never changes afterwards.
    package var outgoingChunkSize = 65_536
    /// A peer's larger chunk size is taken as this one, in bytes.
    package var peerChunkSize = RTMPLimits.longestMessageBytes
    /// Chunk streams of one connection.
    package var chunkStreams = 64
    /// Received bytes of unfinished messages of one connection.
    package var partialBytes = 16 << 20
    /// The same before a publish is accepted, when anybody may send.
    package var unacceptedPartialBytes = 1 << 20
    /// The buffer a message that comes in pieces starts with, in bytes, before it grows with what arrives.
    package var initialMessageBytes = 16 << 10

    // MARK: Messages, by type (`RTMP 1.0 §5.4, §7.1`), in bytes

    package var videoBytes = 8 << 20
    package var audioBytes = 64 << 10
    package var aggregateBytes = 8 << 20
    package var commandBytes = 256 << 10
    package var dataBytes = 256 << 10
    package var controlBytes = 128
    /// Shared objects and types nobody has defined.
    package var otherBytes = 256 << 10
    /// Sub-messages of one aggregate.
    package var aggregateMessages = 1_024

    // MARK: AMF

    /// Objects and arrays inside one another.
    package var amfDepth = 16
    /// Properties of all objects of one message.
    package var amfKeys = 1_000
    /// Elements of all strict arrays of one message, and its top-level values.
    package var amfElements = 10_000
    /// One string, key or class name, in bytes of UTF-8.
    package var amfStringBytes = 64 << 10

    // MARK: Session

    /// Message streams a connection may have open at once.
    package var messageStreams = 8
    /// The window we announce, in bytes; half of it is the distance between our Acknowledgements.
    package var windowAcknowledgementSize: UInt32 = 2_500_000
    /// A peer's smaller window is taken as this one, in bytes, so that it cannot ask for an answer to every byte.
    package var smallestWindowAcknowledgementSize: UInt32 = 4_096

    /// The longest message of a type, in bytes.
    package func messageBytes(typeID: UInt8) -> Int {
        switch MessageTypeID(rawValue: typeID) {
        case .video: videoBytes
        case .audio: audioBytes
        case .aggregate: aggregateBytes
        case .commandAMF0, .commandAMF3: commandBytes
        case .dataAMF0, .dataAMF3: dataBytes
        case .setChunkSize, .abort, .acknowledgement, .userControl, .windowAcknowledgementSize, .setPeerBandwidth:
            controlBytes
        case .sharedObjectAMF0, .sharedObjectAMF3, nil: otherBytes
        }
    }
}
