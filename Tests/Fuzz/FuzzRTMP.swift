import NIOCore
import RTMP

// Entry points for a fuzzer: each feeds arbitrary bytes to one decoder and traps if what must hold does not.

/// Decodes bytes as chunks at once and one by one, and demands the same messages and the same error; then runs a session on them.
package func fuzzChunks(_ bytes: UnsafeRawBufferPointer) {
    let whole = decodeChunks(unsafe ByteBuffer(bytes: bytes), step: .max)
    for step in [1, 3, 129] {
        let dripped = decodeChunks(unsafe ByteBuffer(bytes: bytes), step: step)
        precondition(whole.messages == dripped.messages, "other messages when dripped")
        precondition(whole.error == dripped.error, "another error when dripped")
    }
    var encoder = ChunkEncoder()
    var decoder = ChunkDecoder()
    for message in whole.messages where message.chunkStreamID >= 2 {
        var buffer = ByteBuffer()
        do {
            try encoder.encode(message, into: &buffer)
            let again = try decoder.decode(buffer: &buffer)
            precondition(again == message && buffer.readableBytes == 0, "not the same after encoding")
        } catch {
            preconditionFailure("a decoded message cannot be encoded: \(error)")
        }
    }
    runSession(whole.messages)
}

/// Decodes bytes as AMF0, encodes what came out, and demands that this decodes to the same bytes again.
package func fuzzAMF0(_ bytes: UnsafeRawBufferPointer) {
    var buffer = unsafe ByteBuffer(bytes: bytes)
    var decoder = AMF0Decoder()
    guard let values = try? decoder.decodeAll(from: &buffer) else { return }
    var first = ByteBuffer()
    for value in values { value.encode(into: &first) }
    // Repaired UTF-8 may be longer than the limits allow.
    var second = ByteBuffer()
    var readable = first
    var again = AMF0Decoder()
    guard let repeated = try? again.decodeAll(from: &readable) else { return }
    for value in repeated { value.encode(into: &second) }
    precondition(first == second, "AMF0 does not survive a round trip")
}

/// Runs the handshake at once and byte by byte, and demands the same outcome.
package func fuzzHandshake(_ bytes: UnsafeRawBufferPointer) {
    let whole = shakeHands(unsafe ByteBuffer(bytes: bytes), step: .max)
    let dripped = shakeHands(unsafe ByteBuffer(bytes: bytes), step: 1)
    precondition(whole.actions == dripped.actions, "other actions when dripped")
    precondition(whole.error == dripped.error, "another error when dripped")
    precondition(whole.left == dripped.left, "other bytes are left when dripped")
}

/// Decodes bytes as media tags and demands that what can be written again decodes to the same.
package func fuzzFLVTags(_ bytes: UnsafeRawBufferPointer) {
    let payload = unsafe ByteBuffer(bytes: bytes)
    if let tag = try? FLVVideoTag.decode(payload), let encoded = tag.encode() {
        precondition((try? FLVVideoTag.decode(encoded)) == tag, "a video tag does not survive a round trip")
    }
    if let tag = try? FLVAudioTag.decode(payload), let encoded = tag.encode() {
        precondition((try? FLVAudioTag.decode(encoded)) == tag, "an audio tag does not survive a round trip")
    }
}

/// Takes bytes apart as an aggregate, and demands an end.
package func fuzzAggregate(_ bytes: UnsafeRawBufferPointer) {
    let limits = RTMPLimits()
    var aggregate = AggregateMessage(
        RawMessage(
            chunkStreamID: 4, timestamp: 1_000, typeID: MessageTypeID.aggregate.rawValue, messageStreamID: 1,
            payload: unsafe ByteBuffer(bytes: bytes)))
    var count = 0
    while let message = try? aggregate.next(limits: limits) {
        count += 1
        precondition(count <= limits.aggregateMessages, "an aggregate has more messages than the limit")
        precondition(message.messageStreamID == 1, "the aggregate's message stream wins")
    }
}

private func decodeChunks(_ bytes: ByteBuffer, step: Int) -> (messages: [RawMessage], error: RTMPError?) {
    var bytes = bytes
    var decoder = ChunkDecoder()
    var buffer = ByteBuffer()
    var messages: [RawMessage] = []
    do throws(RTMPError) {
        while let piece = bytes.readSlice(length: min(step, bytes.readableBytes)), piece.readableBytes > 0 {
            buffer.writeImmutableBuffer(piece)
            while let message = try decoder.decode(buffer: &buffer) { messages.append(message) }
        }
        return (messages, nil)
    } catch {
        return (messages, error)
    }
}

private func shakeHands(
    _ bytes: ByteBuffer, step: Int
) -> (actions: [Handshake.Action], error: RTMPError?, left: ByteBuffer) {
    var bytes = bytes
    var handshake = Handshake()
    var generator = Counter()
    var buffer = ByteBuffer()
    var actions: [Handshake.Action] = []
    do throws(RTMPError) {
        while let piece = bytes.readSlice(length: min(step, bytes.readableBytes)), piece.readableBytes > 0 {
            buffer.writeImmutableBuffer(piece)
            while true {
                let action = try handshake.receive(&buffer, time: 0, using: &generator)
                if action == .awaitBytes { break }
                if action == .finished {
                    actions.append(action)
                    buffer.writeImmutableBuffer(bytes)
                    return (actions, nil, buffer)
                }
                actions.append(action)
            }
        }
        return (actions, nil, buffer)
    } catch {
        return (actions, error, ByteBuffer())
    }
}

private func runSession(_ messages: [RawMessage]) {
    var session = PublisherSession()
    for raw in messages {
        guard let message = try? RTMPMessage(raw) else { return }
        _ = session.receivedBytes(raw.payload.readableBytes)
        let action = session.receive(message, timestamp: raw.timestamp, messageStreamID: raw.messageStreamID)
        switch action {
        case .connectRequested: _ = session.connectAccepted()
        case .publishRequested: _ = session.publishAccepted()
        default: break
        }
    }
}

private struct Counter: RandomNumberGenerator {
    var value: UInt64 = 0
    mutating func next() -> UInt64 {
        value &+= 1
        return value
    }
}
