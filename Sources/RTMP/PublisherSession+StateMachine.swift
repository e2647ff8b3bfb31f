package import NIOCore

/// A publishing client's session, from the end of the handshake to the close (`RTMP 1.0 §7.2`).
///
/// | state | entered when | left when |
/// |---|---|---|
/// | connecting | the handshake is done | `connect` → connectRequested |
/// | connectRequested | the app awaits our word | accepted → connected; refused → closed |
/// | connected | `connect` was accepted, or a publish ended | `publish` → publishRequested; deadline → closed |
/// | publishRequested | the stream awaits our word | accepted → publishing; refused → closed; given up → connected |
/// | publishing | the publish was accepted | `FCUnpublish`, `closeStream`, `deleteStream` → connected; idle → closed |
/// | closed | anything ended it | – |
///
/// `publish` before `connect` and `play` at any time end in closed. Every other call, in any order, is answered and survived.
package struct PublisherSession: ~Copyable {
    private enum State {
        case connecting
        case connectRequested(ConnectRequest, transactionID: Double)
        case connected(PublisherConnection)
        case publishRequested(PublisherConnection, messageStreamID: UInt32)
        case publishing(PublisherConnection, messageStreamID: UInt32)
        case closed
    }

    package enum Action: Equatable {
        case none
        case send([OutgoingMessage])
        /// Answer with `connectAccepted` or `connectRefused` before the next `receive`.
        case connectRequested(ConnectRequest)
        /// Answer with `publishAccepted` or `publishRefused`, at once or later; an `unpublish` takes the question back.
        case publishRequested(PublishRequest)
        /// The body of a video tag, and its timestamp in milliseconds modulo 2³².
        case video(ByteBuffer, timestamp: UInt32)
        /// The body of an audio tag, and its timestamp in milliseconds modulo 2³².
        case audio(ByteBuffer, timestamp: UInt32)
        case metadata(AMF0Object)
        /// Give `receive` the messages in it one by one.
        case split(AggregateMessage)
        /// The client ended its publish, or its request for one; send these, and keep the connection.
        case unpublish([OutgoingMessage])
        /// Send these, and close after `RTMPLimits.refusalLinger`; a publish, if there was one, has ended.
        case sendThenClose([OutgoingMessage], RTMPError)
        /// Close at once; a publish, if there was one, has ended.
        case close(RTMPError)
    }

    private var state: State = .connecting
    private var acknowledgements: AcknowledgementWindow
    private let limits: RTMPLimits

    package init(limits: RTMPLimits = RTMPLimits()) {
        self.limits = limits
        acknowledgements = AcknowledgementWindow(limits: limits)
    }

    package var isPublishing: Bool {
        switch state {
        case .publishing: true
        default: false
        }
    }

    /// How long the present state may last: when publishing without a byte received, before that without a publish accepted.
    /// Nil if it may last for ever.
    package var deadline: Duration? {
        switch state {
        case .publishing: limits.publishIdleDeadline
        case .closed: nil
        default: limits.publishDeadline
        }
    }

    // MARK: What happened

    package mutating func receive(
        _ message: RTMPMessage, timestamp: UInt32, messageStreamID: UInt32
    ) -> Action {
        switch message {
        // One connection has one publish, so that media needs no look at its stream. Before it is accepted, media is dropped.
        case .video(let payload): return isPublishing ? .video(payload, timestamp: timestamp) : .none
        case .audio(let payload): return isPublishing ? .audio(payload, timestamp: timestamp) : .none
        case .aggregate(let aggregate): return isPublishing ? .split(aggregate) : .none
        case .data(let data):
            guard isPublishing, let metadata = data.metadata else { return .none }
            return .metadata(metadata)
        case .command(let command): return receive(command, messageStreamID: messageStreamID)
        case .userControl(.pingRequest(let timestamp)):
            return send([OutgoingMessage(.userControl(.pingResponse(timestamp: timestamp)))])
        case .windowAcknowledgementSize(let bytes):
            acknowledgements.announced(bytes)
            return .none
        // The chunk decoder has applied these already; the others ask nothing of a server.
        case .setChunkSize, .abort, .acknowledgement, .userControl, .setPeerBandwidth, .unreadableData, .other:
            return .none
        }
    }

    /// Bytes came in, those of the handshake and of chunk headers too.
    package mutating func receivedBytes(_ count: Int) -> Action {
        guard let sequenceNumber = acknowledgements.receive(count) else { return .none }
        return send([OutgoingMessage(.acknowledgement(sequenceNumber: sequenceNumber))])
    }

    package mutating func connectAccepted() -> Action {
        switch takeState() {
        case .connectRequested(let request, let transactionID):
            state = .connected(PublisherConnection(request: request))
            return .send(OutgoingMessage.connectAccepted(transactionID: transactionID, limits: limits))
        case let other:
            state = other
            return .none
        }
    }

    package mutating func connectRefused(_ reason: RefusalReason) -> Action {
        switch takeState() {
        case .connectRequested(_, let transactionID):
            state = .closed
            return .sendThenClose(
                [.error(transactionID: transactionID, .connectRejected, reason.description)], .refused(reason))
        case let other:
            state = other
            return .none
        }
    }

    package mutating func publishAccepted() -> Action {
        switch takeState() {
        case .publishRequested(let connection, let id):
            state = .publishing(connection, messageStreamID: id)
            return .send([
                OutgoingMessage(.userControl(.streamBegin(messageStreamID: id))),
                .onStatus(.publishStart, "Publishing has started.", messageStreamID: id),
            ])
        case let other:
            state = other
            return .none
        }
    }

    /// Refuses a requested publish, or ends an accepted one from our side.
    package mutating func publishRefused(_ reason: RefusalReason) -> Action {
        switch takeState() {
        case .publishRequested(_, let id), .publishing(_, let id):
            state = .closed
            return .sendThenClose(
                [.onStatus(reason.publishCode, reason.description, isError: true, messageStreamID: id)],
                .refused(reason))
        case let other:
            state = other
            return .none
        }
    }

    /// The time that `deadline` tells is over.
    package mutating func deadlinePassed() -> Action {
        switch takeState() {
        case .closed:
            state = .closed
            return .none
        case .publishing:
            state = .closed
            return .close(.publishIdle)
        default:
            state = .closed
            return .close(.publishDeadlinePassed)
        }
    }

    /// The socket is gone; whatever comes now changes nothing.
    package mutating func connectionClosed() {
        state = .closed
    }

    // MARK: Commands

    private mutating func receive(_ command: RTMPCommand, messageStreamID: UInt32) -> Action {
        switch command.name {
        case "connect": connect(command)
        case "publish": publish(command, messageStreamID: messageStreamID)
        case "play", "play2": refusePlay(messageStreamID: messageStreamID)
        // Answers: we ask nothing that has one, and an answer to an answer would never end.
        case "_result", "_error", "onStatus": .none
        default: call(command, messageStreamID: messageStreamID)
        }
    }

    private mutating func connect(_ command: RTMPCommand) -> Action {
        switch takeState() {
        case .connecting:
            guard let request = ConnectRequest(command) else {
                state = .closed
                return .close(.commandMalformed)
            }
            state = .connectRequested(request, transactionID: command.transactionID)
            return .connectRequested(request)
        case .closed:
            state = .closed
            return .none
        case let other:
            state = other
            return send(OutgoingMessage.callFailed(command))
        }
    }

    private mutating func publish(_ command: RTMPCommand, messageStreamID id: UInt32) -> Action {
        switch takeState() {
        case .connected(let connection):
            guard connection.messageStreams.contains(id) else {
                state = .closed
                return .sendThenClose(
                    [.onStatus(.streamFailed, "Create a stream first.", isError: true, messageStreamID: id)],
                    .publishWithoutStream)
            }
            guard let name = command.arguments.first?.string else {
                state = .closed
                let reason = RefusalReason.badStreamName
                return .sendThenClose(
                    [.onStatus(reason.publishCode, reason.description, isError: true, messageStreamID: id)],
                    .refused(reason))
            }
            let (streamName, query) = RTMPQuery.split(name)
            let request = connection.request
            state = .publishRequested(connection, messageStreamID: id)
            return .publishRequested(
                PublishRequest(
                    app: request.app, streamName: streamName, query: query, connectQuery: request.query))
        case .publishRequested(let connection, let current):
            state = .publishRequested(connection, messageStreamID: current)
            return .send([.secondPublishRefused(messageStreamID: id)])
        case .publishing(let connection, let current):
            state = .publishing(connection, messageStreamID: current)
            return .send([.secondPublishRefused(messageStreamID: id)])
        case .connecting, .connectRequested:
            state = .closed
            return .close(.publishWithoutConnect)
        case .closed:
            state = .closed
            return .none
        }
    }

    private mutating func refusePlay(messageStreamID id: UInt32) -> Action {
        if case .closed = state { return .none }
        state = .closed
        let description = "Playing over RTMP is not offered here."
        return .sendThenClose(
            [.onStatus(.playFailed, description, isError: true, messageStreamID: id)], .playRefused)
    }

    /// Any call but `connect`, `publish` and `play`.
    private mutating func call(_ command: RTMPCommand, messageStreamID: UInt32) -> Action {
        switch takeState() {
        case .connected(var connection):
            let replies = connection.answer(command, messageStreamID: messageStreamID, limits: limits)
            state = .connected(connection)
            return send(replies)
        case .publishRequested(var connection, let id):
            let replies = connection.answer(command, messageStreamID: messageStreamID, limits: limits)
            if command.endsPublish(on: id, messageStreamID: messageStreamID) {
                state = .connected(connection)
                return .unpublish(replies)
            }
            state = .publishRequested(connection, messageStreamID: id)
            return send(replies)
        case .publishing(var connection, let id):
            let replies = connection.answer(command, messageStreamID: messageStreamID, limits: limits)
            if command.endsPublish(on: id, messageStreamID: messageStreamID) {
                state = .connected(connection)
                return .unpublish(replies)
            }
            state = .publishing(connection, messageStreamID: id)
            return send(replies)
        case .closed:
            state = .closed
            return .none
        case let other:
            state = other
            return send(OutgoingMessage.callFailed(command))
        }
    }

    /// Moves the state out, so that what it owns is changed in place; every path through the switch puts one back.
    private mutating func takeState() -> State {
        var taken = State.closed
        swap(&taken, &state)
        return taken
    }

    private func send(_ messages: [OutgoingMessage]) -> Action {
        if case .closed = state { return .none }
        return messages.isEmpty ? .none : .send(messages)
    }
}
