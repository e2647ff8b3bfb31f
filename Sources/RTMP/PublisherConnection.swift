/// What a connected client has made: its app and its message streams; and the answers to calls about them.
struct PublisherConnection {
    let request: ConnectRequest
    private(set) var messageStreams: Set<UInt32> = []

    init(request: ConnectRequest) {
        self.request = request
    }

    /// The answers to any call but `connect`, `publish` and `play`; none to a call that wants none.
    mutating func answer(
        _ command: RTMPCommand, messageStreamID: UInt32, limits: RTMPLimits
    ) -> [OutgoingMessage] {
        switch command.name {
        case "createStream":
            guard let id = createStream(limit: limits.messageStreams) else {
                return OutgoingMessage.callFailed(command)
            }
            return [.result(command, .number(Double(id)))]
        case "deleteStream":
            if let id = command.deletedStream { messageStreams.remove(id) }
            return []
        case "closeStream":
            return [.onStatus(.unpublishSuccess, "The stream is closed.", messageStreamID: messageStreamID)]
        case "releaseStream":
            return [.result(command, .undefined)]
        case "FCPublish":
            // Encoders of FMLE's kind wait for the second one, in front of createStream.
            return [.result(command, .undefined), .call("onFCPublish", .publishStart)]
        case "FCUnpublish":
            return [.call("onFCUnpublish", .unpublishSuccess), .result(command, .undefined)]
        default:
            return OutgoingMessage.callFailed(command)
        }
    }

    /// The smallest id that is free, from 1: rtmp2sink takes 0 for a failure.
    private mutating func createStream(limit: Int) -> UInt32? {
        if messageStreams.count >= limit { return nil }
        var id: UInt32 = 1
        while messageStreams.contains(id) { id += 1 }
        messageStreams.insert(id)
        return id
    }
}

extension RTMPCommand {
    /// The argument of `deleteStream`; nil if it is no stream's id.
    fileprivate var deletedStream: UInt32? {
        arguments.first?.number.flatMap(UInt32.init(exactly:))
    }

    /// Whether this ends the publish on a message stream; FCUnpublish tells a name alone, and there is one publish.
    func endsPublish(on publishStreamID: UInt32, messageStreamID: UInt32) -> Bool {
        switch name {
        case "FCUnpublish": true
        case "closeStream": messageStreamID == publishStreamID
        case "deleteStream": deletedStream == publishStreamID
        default: false
        }
    }
}
