import NIOCore
import RTMP
import Testing

extension PublisherSession {
    mutating func receive(
        _ name: String, _ transactionID: Double, _ object: AMF0Value = .null, _ arguments: [AMF0Value] = [],
        on messageStreamID: UInt32 = 0
    ) -> Action {
        let command = RTMPCommand(name: name, transactionID: transactionID, object: object, arguments: arguments)
        return receive(.command(command), timestamp: 0, messageStreamID: messageStreamID)
    }

    /// A session that has come as far as a stream with the id 1.
    static func connected(app: String = "live") -> PublisherSession {
        var session = PublisherSession()
        _ = session.receive("connect", 1, .object(["app": .string(app)]))
        _ = session.connectAccepted()
        _ = session.receive("createStream", 2)
        return session
    }

    static func publishing() -> PublisherSession {
        var session = PublisherSession.connected()
        _ = session.receive("publish", 3, .null, [.string("key"), .string("live")], on: 1)
        _ = session.publishAccepted()
        return session
    }
}

/// The messages an action sends, one line each: name, transaction, what counts in it, message stream.
func summary(_ action: PublisherSession.Action) -> [String] {
    let messages: [OutgoingMessage]
    switch action {
    case .send(let list), .unpublish(let list), .sendThenClose(let list, _): messages = list
    default: return []
    }
    return messages.map { outgoing in
        guard case .command(let command) = outgoing.message else { return "\(outgoing.message)" }
        let value = command.arguments.first
        let text =
            value?.object?["code"]?.string ?? value?.number.map { "\(Int($0))" }
            ?? (value == .undefined ? "undefined" : "")
        return "\(command.name) \(Int(command.transactionID)) \(text) @\(outgoing.messageStreamID)"
    }
}

private func information(_ message: OutgoingMessage?) -> AMF0Object? {
    guard case .command(let command)? = message?.message else { return nil }
    return command.arguments.first?.object
}

private func sent(_ action: PublisherSession.Action) -> [OutgoingMessage] {
    switch action {
    case .send(let list), .unpublish(let list), .sendThenClose(let list, _): list
    default: []
    }
}

@Suite struct PublisherSessionTests {
    // MARK: connect

    @Test func `connect is answered with the sizes first and the result last`() {
        var session = PublisherSession()
        let request = session.receive("connect", 1, .object(["app": .string("live"), "objectEncoding": .number(3)]))
        #expect(request == .connectRequested(ConnectRequest(app: "live")))
        let messages = sent(session.connectAccepted())
        #expect(
            messages.dropLast() == [
                OutgoingMessage(.windowAcknowledgementSize(2_500_000)),
                OutgoingMessage(.setPeerBandwidth(windowBytes: 2_500_000, limitType: .dynamic)),
                OutgoingMessage(.setChunkSize(65_536)),
                OutgoingMessage(.userControl(.streamBegin(messageStreamID: 0))),
            ])
        guard case .command(let result)? = messages.last?.message else {
            Issue.record("no result")
            return
        }
        #expect(result.name == "_result")
        #expect(result.transactionID == 1)
        #expect(result.object.object?["fmsVer"]?.string != nil)
        #expect(result.arguments.first?.object?["code"] == .string("NetConnection.Connect.Success"))
        #expect(result.arguments.first?.object?["level"] == .string("status"))
        #expect(result.arguments.first?.object?["objectEncoding"] == .number(0))
    }

    @Test func `an unknown app is refused and the connection closed`() {
        var session = PublisherSession()
        _ = session.receive("connect", 1, .object(["app": .string("other")]))
        let action = session.connectRefused(.unknownApp)
        #expect(summary(action) == ["_error 1 NetConnection.Connect.Rejected @0"])
        #expect(information(sent(action).first)?["level"] == .string("error"))
        #expect(action == .sendThenClose(sent(action), .refused(.unknownApp)))
        let late = session.receive("createStream", 2)
        #expect(late == .none)
        #expect(session.deadline == nil)
    }

    @Test func `connect without an object closes`() {
        var session = PublisherSession()
        let action = session.receive("connect", 1)
        #expect(action == .close(.commandMalformed))
    }

    @Test func `a second connect is answered with an error and survived`() {
        var session = PublisherSession.connected()
        let action = session.receive("connect", 9, .object(["app": .string("live")]))
        #expect(summary(action) == ["_error 9 NetConnection.Call.Failed @0"])
        let unasked = session.receive("connect", 0, .object([:]))
        #expect(unasked == .none)
        let next = session.receive("createStream", 10)
        #expect(summary(next) == ["_result 10 2 @0"])
    }

    // MARK: Message streams

    @Test func `message streams are never 0, are counted, and come back when deleted`() {
        var session = PublisherSession.connected()
        for id in 2...8 {
            let action = session.receive("createStream", 4)
            #expect(summary(action) == ["_result 4 \(id) @0"])
        }
        let over = session.receive("createStream", 5)
        #expect(summary(over) == ["_error 5 NetConnection.Call.Failed @0"])
        let deleted = session.receive("deleteStream", 0, .null, [.number(3)])
        #expect(deleted == .none)
        let again = session.receive("createStream", 6)
        #expect(summary(again) == ["_result 6 3 @0"])
    }

    @Test(arguments: [AMF0Value.number(.nan), .number(-1), .number(1e300), .number(1.5), .null, .string("1")])
    func `deleteStream of no stream's id is survived`(id: AMF0Value) {
        var session = PublisherSession.publishing()
        let action = session.receive("deleteStream", 0, .null, [id])
        #expect(action == .none)
        #expect(session.isPublishing == true)
    }

    // MARK: publish

    @Test func `the query of a key and of an app stand apart and do not show`() {
        var session = PublisherSession.connected(app: "live?user=me")
        let action = session.receive("publish", 5, .null, [.string("key?token=secret&x=1?2")], on: 1)
        let request = PublishRequest(
            app: "live", streamName: "key", query: RTMPQuery("token=secret&x=1?2"), connectQuery: RTMPQuery("user=me"))
        #expect(action == .publishRequested(request))
        #expect(request.parameter("token") == "secret")
        #expect(request.parameter("x") == "1?2")
        #expect(request.parameter("user") == "me")
        #expect(request.parameter("none") == nil)
        var dumped = ""
        dump(action, to: &dumped)
        for text in ["\(action)", String(reflecting: action), dumped] { #expect(!text.contains("secret")) }
    }

    @Test func `the query of tcUrl counts where the app has none`() {
        var session = PublisherSession()
        let url = AMF0Value.string("rtmp://host/live?token=secret")
        let action = session.receive("connect", 1, .object(["app": .string("live"), "tcUrl": url]))
        #expect(action == .connectRequested(ConnectRequest(app: "live", query: RTMPQuery("token=secret"))))
    }

    @Test func `an accepted publish is told on its own message stream`() {
        var session = PublisherSession.connected()
        _ = session.receive("createStream", 3)
        _ = session.receive("publish", 5, .null, [.string("key"), .string("live")], on: 2)
        let action = session.publishAccepted()
        #expect(
            summary(action) == [
                "userControl(RTMP.UserControlEvent.streamBegin(messageStreamID: 2))",
                "onStatus 0 NetStream.Publish.Start @2",
            ])
        #expect(information(sent(action).last)?["level"] == .string("status"))
        #expect(session.isPublishing == true)
    }

    @Test(arguments: [
        (RefusalReason.badStreamName, "NetStream.Publish.BadName"), (.alreadyPublishing, "NetStream.Publish.BadName"),
        (.takenOver, "NetStream.Publish.BadName"), (.denied, "NetStream.Publish.Denied"),
        (.full, "NetStream.Publish.Rejected"), (.draining, "NetStream.Publish.Rejected"),
        (.unknownApp, "NetStream.Publish.Rejected"), (.failed, "NetStream.Failed"),
    ]) func `each reason has its code, and the connection closes`(reason: RefusalReason, code: String) {
        var session = PublisherSession.connected()
        _ = session.receive("publish", 5, .null, [.string("key")], on: 1)
        let action = session.publishRefused(reason)
        #expect(summary(action) == ["onStatus 0 \(code) @1"])
        #expect(information(sent(action).first)?["level"] == .string("error"))
        #expect(information(sent(action).first)?["description"] == .string(reason.description))
        #expect(action == .sendThenClose(sent(action), .refused(reason)))
        let late = session.receive(.video(hex("17")), timestamp: 0, messageStreamID: 1)
        #expect(late == .none)
    }

    @Test func `a publish that goes on can be ended from our side`() {
        var session = PublisherSession.publishing()
        let action = session.publishRefused(.takenOver)
        #expect(summary(action) == ["onStatus 0 NetStream.Publish.BadName @1"])
        #expect(session.isPublishing == false)
    }

    @Test func `a second publish is refused and the first goes on`() {
        var session = PublisherSession.connected()
        _ = session.receive("createStream", 3)
        _ = session.receive("publish", 4, .null, [.string("one")], on: 1)
        let waiting = session.receive("publish", 5, .null, [.string("two")], on: 2)
        #expect(summary(waiting) == ["onStatus 0 NetStream.Publish.BadName @2"])
        _ = session.publishAccepted()
        let publishing = session.receive("publish", 6, .null, [.string("two")], on: 2)
        #expect(summary(publishing) == ["onStatus 0 NetStream.Publish.BadName @2"])
        #expect(session.isPublishing == true)
    }

    @Test func `publish before connect closes`() {
        var session = PublisherSession()
        let action = session.receive("publish", 5, .null, [.string("key")], on: 1)
        #expect(action == .close(.publishWithoutConnect))
    }

    @Test func `publish on a stream nobody created is refused`() {
        var session = PublisherSession.connected()
        let action = session.receive("publish", 5, .null, [.string("key")], on: 7)
        #expect(summary(action) == ["onStatus 0 NetStream.Failed @7"])
        #expect(action == .sendThenClose(sent(action), .publishWithoutStream))
    }

    @Test func `publish without a name is refused`() {
        var session = PublisherSession.connected()
        let action = session.receive("publish", 5, .null, [.boolean(false)], on: 1)
        #expect(summary(action) == ["onStatus 0 NetStream.Publish.BadName @1"])
    }

    @Test(arguments: ["play", "play2"]) func `playing is refused and the connection closed`(name: String) {
        var session = PublisherSession.connected()
        let action = session.receive(name, 5, .null, [.string("key")], on: 1)
        #expect(summary(action) == ["onStatus 0 NetStream.Play.Failed @1"])
        #expect(action == .sendThenClose(sent(action), .playRefused))
        let again = session.receive(name, 5, .null, [.string("key")], on: 1)
        #expect(again == .none)
    }

    // MARK: Media

    @Test func `media before the publish is accepted is dropped`() {
        var session = PublisherSession.connected()
        let early = session.receive(.video(hex("17")), timestamp: 0, messageStreamID: 1)
        #expect(early == .none)
        _ = session.receive("publish", 5, .null, [.string("key")], on: 1)
        let waiting = session.receive(.audio(hex("AF")), timestamp: 0, messageStreamID: 1)
        #expect(waiting == .none)
        let metadata = session.receive(
            .data(RTMPData(handler: "onMetaData", values: [.object([:])])), timestamp: 0, messageStreamID: 1)
        #expect(metadata == .none)
        _ = session.publishAccepted()
        let late = session.receive(.video(hex("17")), timestamp: .max, messageStreamID: 1)
        #expect(late == .video(hex("17"), timestamp: .max))
    }

    @Test func `media, metadata and aggregates come through`() throws {
        var session = PublisherSession.publishing()
        let audio = session.receive(.audio(hex("AF01AA")), timestamp: 23, messageStreamID: 1)
        #expect(audio == .audio(hex("AF01AA"), timestamp: 23))
        let data = RTMPData(
            handler: "@setDataFrame", values: [.string("onMetaData"), .ecmaArray(["width": .number(1)])])
        let metadata = session.receive(.data(data), timestamp: 0, messageStreamID: 1)
        #expect(metadata == .metadata(["width": .number(1)]))
        let payload = AggregateMessage.encode([raw(4, 0, .audio, 1, hex("AF01BB")), raw(4, 9, .video, 1, hex("27"))])
        let aggregate = AggregateMessage(raw(4, 100, .aggregate, 1, payload))
        guard case .split(var parts) = session.receive(.aggregate(aggregate), timestamp: 100, messageStreamID: 1) else {
            Issue.record("not split")
            return
        }
        var actions: [PublisherSession.Action] = []
        while let part = try parts.next() {
            let message = try RTMPMessage(part)
            actions.append(
                session.receive(message, timestamp: part.timestamp, messageStreamID: part.messageStreamID))
        }
        #expect(actions == [.audio(hex("AF01BB"), timestamp: 100), .video(hex("27"), timestamp: 109)])
    }

    @Test func `what asks for nothing gets nothing`() {
        var session = PublisherSession.publishing()
        let messages: [RTMPMessage] = [
            .setChunkSize(4_096), .abort(chunkStreamID: 4), .acknowledgement(sequenceNumber: 1),
            .setPeerBandwidth(windowBytes: 1, limitType: .hard), .userControl(.pingResponse(timestamp: 0)),
            .userControl(.setBufferLength(messageStreamID: 1, milliseconds: 3_000)),
            .other(typeID: 19, hex("AA")), .unreadableData(.amfTooDeep),
            .data(RTMPData(handler: "onTextData", values: [.object([:])])),
        ]
        for message in messages {
            let action = session.receive(message, timestamp: 0, messageStreamID: 0)
            #expect(action == .none)
        }
        #expect(session.isPublishing == true)
    }

    @Test func `a ping is answered`() {
        var session = PublisherSession()
        let action = session.receive(.userControl(.pingRequest(timestamp: 77)), timestamp: 0, messageStreamID: 0)
        #expect(action == .send([OutgoingMessage(.userControl(.pingResponse(timestamp: 77)))]))
    }

    // MARK: Unknown calls

    @Test(arguments: ["getStreamLength", "_checkbw", "FCSubscribe", "", "nobody knows this"])
    func `an unknown call is answered with an error in every state`(name: String) {
        var fresh = PublisherSession()
        let first = fresh.receive(name, 7)
        #expect(summary(first) == ["_error 7 NetConnection.Call.Failed @0"])
        var publishing = PublisherSession.publishing()
        let second = publishing.receive(name, 7)
        #expect(summary(second) == ["_error 7 NetConnection.Call.Failed @0"])
        let unasked = publishing.receive(name, 0)
        #expect(unasked == .none)
        #expect(publishing.isPublishing == true)
    }

    @Test(arguments: ["_result", "_error", "onStatus"]) func `an answer is not answered`(name: String) {
        var session = PublisherSession.connected()
        let action = session.receive(name, 7)
        #expect(action == .none)
    }

    // MARK: The end of a publish

    @Test func `FCUnpublish ends the publish and is answered`() {
        var session = PublisherSession.publishing()
        let action = session.receive("FCUnpublish", 6, .null, [.string("key")])
        #expect(action == .unpublish(sent(action)))
        #expect(
            summary(action) == ["onFCUnpublish 0 NetStream.Unpublish.Success @0", "_result 6 undefined @0"])
        let after = session.receive("deleteStream", 7, .null, [.number(1)])
        #expect(after == .none)
        #expect(session.isPublishing == false)
    }

    @Test func `deleteStream and closeStream end the publish on their own stream alone`() {
        var session = PublisherSession.publishing()
        let other = session.receive("deleteStream", 0, .null, [.number(2)])
        #expect(other == .none)
        let elsewhere = session.receive("closeStream", 0, on: 2)
        #expect(summary(elsewhere) == ["onStatus 0 NetStream.Unpublish.Success @2"])
        #expect(session.isPublishing == true)
        let own = session.receive("deleteStream", 0, .null, [.number(1)])
        #expect(own == .unpublish([]))
        var closing = PublisherSession.publishing()
        let closed = closing.receive("closeStream", 0, on: 1)
        #expect(summary(closed) == ["onStatus 0 NetStream.Unpublish.Success @1"])
        #expect(closed == .unpublish(sent(closed)))
    }

    @Test func `a client may publish again after it ended a publish`() {
        var session = PublisherSession.publishing()
        _ = session.receive("closeStream", 0, on: 1)
        let action = session.receive("publish", 8, .null, [.string("again")], on: 1)
        #expect(action == .publishRequested(PublishRequest(app: "live", streamName: "again")))
    }

    @Test func `a request taken back cannot be accepted any more`() {
        var session = PublisherSession.connected()
        _ = session.receive("publish", 5, .null, [.string("key")], on: 1)
        let back = session.receive("deleteStream", 0, .null, [.number(1)])
        #expect(back == .unpublish([]))
        let late = session.publishAccepted()
        #expect(late == .none)
        let refused = session.publishRefused(.denied)
        #expect(refused == .none)
    }

    @Test func `words that nobody waits for change nothing`() {
        var session = PublisherSession()
        let early = session.connectAccepted()
        #expect(early == .none)
        let refusal = session.connectRefused(.full)
        #expect(refusal == .none)
        session.connectionClosed()
        let late = session.receive("connect", 1, .object([:]))
        #expect(late == .none)
        let deadline = session.deadlinePassed()
        #expect(deadline == .none)
    }

    // MARK: Time and bytes

    @Test func `a state that lasts too long is closed`() {
        var connecting = PublisherSession()
        #expect(connecting.deadline == .seconds(15))
        let first = connecting.deadlinePassed()
        #expect(first == .close(.publishDeadlinePassed))
        var publishing = PublisherSession.publishing()
        #expect(publishing.deadline == .seconds(20))
        let second = publishing.deadlinePassed()
        #expect(second == .close(.publishIdle))
        let again = publishing.deadlinePassed()
        #expect(again == .none)
    }

    @Test func `bytes are acknowledged at half the window though none was announced`() {
        var session = PublisherSession.publishing()
        let before = session.receivedBytes(1_249_999)
        #expect(before == .none)
        let at = session.receivedBytes(1)
        #expect(at == .send([OutgoingMessage(.acknowledgement(sequenceNumber: 1_250_000))]))
        let after = session.receivedBytes(1_249_999)
        #expect(after == .none)
        let next = session.receivedBytes(1_000)
        #expect(next == .send([OutgoingMessage(.acknowledgement(sequenceNumber: 2_500_999))]))
    }

    @Test func `beyond 4 GiB the acknowledged number wraps`() {
        var session = PublisherSession.publishing()
        let high = session.receivedBytes(0xFFFF_FFFF)
        #expect(high == .send([OutgoingMessage(.acknowledgement(sequenceNumber: 0xFFFF_FFFF))]))
        let wrapped = session.receivedBytes(1_250_000)
        #expect(wrapped == .send([OutgoingMessage(.acknowledgement(sequenceNumber: 1_249_999))]))
        let huge = session.receivedBytes(.max)
        #expect(huge != .none)
        let negative = session.receivedBytes(-1)
        #expect(negative == .none)
    }

    @Test func `an announced window makes acknowledgements more frequent, within reason`() {
        var session = PublisherSession.publishing()
        _ = session.receive(.windowAcknowledgementSize(10_000), timestamp: 0, messageStreamID: 0)
        let small = session.receivedBytes(5_000)
        #expect(small == .send([OutgoingMessage(.acknowledgement(sequenceNumber: 5_000))]))
        _ = session.receive(.windowAcknowledgementSize(1), timestamp: 0, messageStreamID: 0)
        let tiny = session.receivedBytes(2_047)
        #expect(tiny == .none)
        let enough = session.receivedBytes(1)
        #expect(enough == .send([OutgoingMessage(.acknowledgement(sequenceNumber: 7_048))]))
        var large = PublisherSession.publishing()
        _ = large.receive(.windowAcknowledgementSize(.max), timestamp: 0, messageStreamID: 0)
        let usual = large.receivedBytes(1_250_000)
        #expect(usual == .send([OutgoingMessage(.acknowledgement(sequenceNumber: 1_250_000))]))
    }

    // MARK: Labels

    @Test func `labels are words for metrics`() {
        var errors: [RTMPError] = [
            .textClient(firstByte: 71), .tlsClient, .chunkWithoutHeader(format: 3),
            .messageTooLong(typeID: 9, bytes: 1),
            .publishIdle,
        ]
        errors += RefusalReason.allCases.map { .refused($0) }
        for error in errors {
            #expect(error.label.allSatisfy { $0.isLowercase || $0 == "_" })
            #expect(!error.description.isEmpty)
        }
        #expect(Set(errors.map(\.label)).count == errors.count)
    }
}
