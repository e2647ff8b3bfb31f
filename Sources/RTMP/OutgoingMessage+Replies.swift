extension OutgoingMessage {
    /// What goes out when `connect` is accepted; ffmpeg stays at 128-byte chunks unless a Set Chunk Size is among it.
    static func connectAccepted(transactionID: Double, limits: RTMPLimits) -> [OutgoingMessage] {
        let window = limits.windowAcknowledgementSize
        let properties: AMF0Object = [
            "fmsVer": .string("FMS/3,5,7,7009"), "capabilities": .number(31), "mode": .number(1),
        ]
        var information = status(.connectSuccess, "The connection was accepted.", isError: false)
        information.properties.append(.init(key: "objectEncoding", value: .number(0)))
        return [
            OutgoingMessage(.windowAcknowledgementSize(window)),
            OutgoingMessage(.setPeerBandwidth(windowBytes: window, limitType: .dynamic)),
            OutgoingMessage(.setChunkSize(UInt32(clamping: limits.outgoingChunkSize))),
            OutgoingMessage(.userControl(.streamBegin(messageStreamID: 0))),
            OutgoingMessage(
                .command(
                    RTMPCommand(
                        name: "_result", transactionID: transactionID, object: .object(properties),
                        arguments: [.object(information)]))),
        ]
    }

    static func result(_ command: RTMPCommand, _ value: AMF0Value) -> OutgoingMessage {
        OutgoingMessage(
            .command(RTMPCommand(name: "_result", transactionID: command.transactionID, arguments: [value])))
    }

    static func error(transactionID: Double, _ code: StatusCode, _ description: String) -> OutgoingMessage {
        OutgoingMessage(
            .command(
                RTMPCommand(
                    name: "_error", transactionID: transactionID,
                    arguments: [.object(status(code, description, isError: true))])))
    }

    /// The answer to a call we do not know; none if the client wants none.
    static func callFailed(_ command: RTMPCommand) -> [OutgoingMessage] {
        if command.transactionID == 0 { return [] }
        return [error(transactionID: command.transactionID, .callFailed, "This call is not offered here.")]
    }

    /// On the stream's own message stream, where rtmp2sink looks for it.
    static func onStatus(
        _ code: StatusCode, _ description: String, isError: Bool = false, messageStreamID: UInt32
    ) -> OutgoingMessage {
        OutgoingMessage(
            .command(
                RTMPCommand(
                    name: "onStatus", transactionID: 0,
                    arguments: [.object(status(code, description, isError: isError))])),
            messageStreamID: messageStreamID)
    }

    static func secondPublishRefused(messageStreamID: UInt32) -> OutgoingMessage {
        let description = "This connection is publishing already."
        return .onStatus(.publishBadName, description, isError: true, messageStreamID: messageStreamID)
    }

    /// `onFCPublish` or `onFCUnpublish`.
    static func call(_ name: String, _ code: StatusCode) -> OutgoingMessage {
        OutgoingMessage(
            .command(
                RTMPCommand(
                    name: name, transactionID: 0, arguments: [.object(status(code, "", isError: false))])))
    }

    private static func status(_ code: StatusCode, _ description: String, isError: Bool) -> AMF0Object {
        [
            "level": .string(isError ? "error" : "status"), "code": .string(code.rawValue),
            "description": .string(description),
        ]
    }
}
