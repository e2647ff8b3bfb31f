package import NIOCore

/// A message by its meaning (`RTMP 1.0 §5.4, §7.1`).
package enum RTMPMessage: Hashable, Sendable {
    case setChunkSize(UInt32)
    case abort(chunkStreamID: UInt32)
    /// Bytes received so far, modulo 2³².
    case acknowledgement(sequenceNumber: UInt32)
    case userControl(UserControlEvent)
    /// In bytes.
    case windowAcknowledgementSize(UInt32)
    case setPeerBandwidth(windowBytes: UInt32, limitType: PeerBandwidthLimit)
    indirect case command(RTMPCommand)
    indirect case data(RTMPData)
    /// A data message that broke a rule: it is advice only, and no reason to lose a publisher.
    case unreadableData(RTMPError)
    case audio(ByteBuffer)
    case video(ByteBuffer)
    indirect case aggregate(AggregateMessage)
    case other(typeID: UInt8, ByteBuffer)

    /// How a Set Peer Bandwidth is meant (`RTMP 1.0 §5.4.5`).
    package enum PeerBandwidthLimit: UInt8, Sendable {
        case hard = 0
        case soft = 1
        case dynamic = 2
    }
}

extension RTMPMessage {
    /// Reads a message's payload; bytes behind the last field are ignored.
    ///
    /// Throws `messageTruncated`, `messageTooLong`, and what is wrong with a command.
    package init(_ raw: RawMessage, limits: RTMPLimits = RTMPLimits()) throws(RTMPError) {
        var payload = raw.payload
        if payload.readableBytes > limits.messageBytes(typeID: raw.typeID) {
            throw .messageTooLong(typeID: raw.typeID, bytes: payload.readableBytes)
        }
        func field() throws(RTMPError) -> UInt32 {
            guard let value = payload.readInteger(as: UInt32.self) else { throw .messageTruncated(typeID: raw.typeID) }
            return value
        }
        switch MessageTypeID(rawValue: raw.typeID) {
        case .setChunkSize: self = .setChunkSize(try field())
        case .abort: self = .abort(chunkStreamID: try field())
        case .acknowledgement: self = .acknowledgement(sequenceNumber: try field())
        case .windowAcknowledgementSize: self = .windowAcknowledgementSize(try field())
        case .setPeerBandwidth:
            let window = try field()
            // Without the limit type, or with one nobody has defined, it is taken as the weakest.
            let limit = payload.readInteger(as: UInt8.self).flatMap(PeerBandwidthLimit.init(rawValue:)) ?? .dynamic
            self = .setPeerBandwidth(windowBytes: window, limitType: limit)
        case .userControl:
            guard let event = UserControlEvent.decode(from: &payload) else {
                throw .messageTruncated(typeID: raw.typeID)
            }
            self = .userControl(event)
        case .audio: self = .audio(payload)
        case .video: self = .video(payload)
        case .aggregate: self = .aggregate(AggregateMessage(raw))
        case .commandAMF0: self = .command(try RTMPCommand.decode(from: &payload, limits: limits))
        case .commandAMF3:
            payload.skipAMF3Prefix()
            self = .command(try RTMPCommand.decode(from: &payload, limits: limits))
        case .dataAMF0: self = .readData(from: &payload, limits: limits)
        case .dataAMF3:
            payload.skipAMF3Prefix()
            self = .readData(from: &payload, limits: limits)
        case .sharedObjectAMF0, .sharedObjectAMF3, nil: self = .other(typeID: raw.typeID, payload)
        }
    }

    private static func readData(from payload: inout ByteBuffer, limits: RTMPLimits) -> RTMPMessage {
        do {
            return .data(try RTMPData.decode(from: &payload, limits: limits))
        } catch {
            return .unreadableData(error)
        }
    }

    /// The type it is written as: commands and data always in AMF0.
    package var typeID: UInt8 {
        switch self {
        case .setChunkSize: MessageTypeID.setChunkSize.rawValue
        case .abort: MessageTypeID.abort.rawValue
        case .acknowledgement: MessageTypeID.acknowledgement.rawValue
        case .userControl: MessageTypeID.userControl.rawValue
        case .windowAcknowledgementSize: MessageTypeID.windowAcknowledgementSize.rawValue
        case .setPeerBandwidth: MessageTypeID.setPeerBandwidth.rawValue
        case .command: MessageTypeID.commandAMF0.rawValue
        case .data, .unreadableData: MessageTypeID.dataAMF0.rawValue
        case .audio: MessageTypeID.audio.rawValue
        case .video: MessageTypeID.video.rawValue
        case .aggregate: MessageTypeID.aggregate.rawValue
        case .other(let typeID, _): typeID
        }
    }

    /// The payload; that of unreadable data is empty.
    package func encode() -> ByteBuffer {
        var buffer = ByteBuffer()
        switch self {
        case .setChunkSize(let value), .abort(let value), .acknowledgement(let value),
            .windowAcknowledgementSize(let value):
            buffer.writeInteger(value)
        case .setPeerBandwidth(let windowBytes, let limitType):
            buffer.writeMultipleIntegers(windowBytes, limitType.rawValue)
        case .userControl(let event): event.encode(into: &buffer)
        case .command(let command): command.encode(into: &buffer)
        case .data(let data): data.encode(into: &buffer)
        case .unreadableData: break
        case .audio(let payload), .video(let payload), .other(_, let payload): return payload
        case .aggregate(let aggregate): return aggregate.payload
        }
        return buffer
    }
}

extension ByteBuffer {
    /// Skips the byte that stands before the AMF0 values of the AMF3 message types; some senders leave it out.
    fileprivate mutating func skipAMF3Prefix() {
        if getInteger(at: readerIndex, as: UInt8.self) == 0 { moveReaderIndex(forwardBy: 1) }
    }
}

/// A message the server has to send, at timestamp 0, as OBS cannot read an extended one in later chunks.
package struct OutgoingMessage: Hashable, Sendable {
    package var message: RTMPMessage
    package var messageStreamID: UInt32

    package init(_ message: RTMPMessage, messageStreamID: UInt32 = 0) {
        self.message = message
        self.messageStreamID = messageStreamID
    }

    /// What the encoder takes: control on chunk stream 2 (`RTMP 1.0 §5.4`), commands on 3, those of a message stream on 5.
    package var raw: RawMessage {
        let isControl = message.typeID <= MessageTypeID.setPeerBandwidth.rawValue
        return RawMessage(
            chunkStreamID: isControl ? 2 : messageStreamID == 0 ? 3 : 5, timestamp: 0, typeID: message.typeID,
            messageStreamID: messageStreamID, payload: message.encode())
    }
}
