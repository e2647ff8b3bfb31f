import NIOCore
import RTMP
import Testing

/// What encoders say from `connect` to the end, in their own order, and what must come back.
@Suite struct ClientExchangeTests {
    private static let accepted = [
        "windowAcknowledgementSize(2500000)",
        "setPeerBandwidth(windowBytes: 2500000, limitType: RTMP.RTMPMessage.PeerBandwidthLimit.dynamic)",
        "setChunkSize(65536)", "userControl(RTMP.UserControlEvent.streamBegin(messageStreamID: 0))",
        "_result 1 NetConnection.Connect.Success @0",
    ]
    private static let started = [
        "userControl(RTMP.UserControlEvent.streamBegin(messageStreamID: 1))", "onStatus 0 NetStream.Publish.Start @1",
    ]

    /// One thing a client says, and the summary of what is sent back to it.
    private enum Line {
        case call(String, Double, AMF0Value = .null, [AMF0Value] = [], stream: UInt32 = 0, answer: [String])
        case message(RTMPMessage, stream: UInt32 = 0, PublisherSession.Action)
    }

    private func play(_ lines: [Line], app: String, key: String) {
        var session = PublisherSession()
        for (index, line) in lines.enumerated() {
            switch line {
            case .message(let message, let stream, let expected):
                let action = session.receive(message, timestamp: 0, messageStreamID: stream)
                #expect(action == expected, "line \(index)")
            case .call(let name, let transactionID, let object, let arguments, let stream, let expected):
                var action = session.receive(name, transactionID, object, arguments, on: stream)
                if case .connectRequested(let request) = action {
                    #expect(request.app == app)
                    action = session.connectAccepted()
                } else if case .publishRequested(let request) = action {
                    #expect(request.app == app)
                    #expect(request.streamName == key)
                    action = session.publishAccepted()
                }
                #expect(summary(action) == expected, "line \(index): \(name)")
            }
        }
        #expect(session.isPublishing == false)
    }

    private static let sequenceHeader = RTMPMessage.video(hex("17 00 000000 01"))
    private static let setDataFrame = RTMPMessage.data(
        RTMPData(handler: "@setDataFrame", values: [.string("onMetaData"), .ecmaArray(["width": .number(1_280)])]))
    private static let fcPublish = ["_result 3 undefined @0", "onFCPublish 0 NetStream.Publish.Start @0"]

    @Test func `ffmpeg`() {
        play(
            [
                .call(
                    "connect", 1,
                    .object([
                        "app": .string("app/inst"), "type": .string("nonprivate"), "flashVer": .string("FMLE/3.0"),
                        "tcUrl": .string("rtmp://h:1935/app/inst"),
                    ]), answer: Self.accepted),
                // It echoes our Set Chunk Size.
                .message(.setChunkSize(65_536), .none),
                .call("releaseStream", 2, .null, [.string("key?token=x")], answer: ["_result 2 undefined @0"]),
                .call("FCPublish", 3, .null, [.string("key?token=x")], answer: Self.fcPublish),
                .call("createStream", 4, answer: ["_result 4 1 @0"]),
                .call("publish", 5, .null, [.string("key?token=x"), .string("live")], stream: 1, answer: Self.started),
                .message(Self.setDataFrame, stream: 1, .metadata(["width": .number(1_280)])),
                .message(Self.sequenceHeader, stream: 1, .video(hex("17 00 000000 01"), timestamp: 0)),
                .call(
                    "FCUnpublish", 6, .null, [.string("key?token=x")],
                    answer: ["onFCUnpublish 0 NetStream.Unpublish.Success @0", "_result 6 undefined @0"]),
                .call("deleteStream", 7, .null, [.number(1)], answer: []),
            ], app: "app/inst", key: "key")
    }

    @Test func `OBS`() {
        play(
            [
                .message(.setChunkSize(4_096), .none),
                .call(
                    "connect", 1,
                    .object([
                        "app": .string("live"), "type": .string("nonprivate"), "flashVer": .string("FMLE/3.0"),
                        "swfUrl": .string("rtmp://h/live"), "tcUrl": .string("rtmp://h/live"),
                    ]), answer: Self.accepted),
                .message(.windowAcknowledgementSize(2_500_000), .none),
                .call("releaseStream", 2, .null, [.string("key")], answer: ["_result 2 undefined @0"]),
                .call("FCPublish", 3, .null, [.string("key")], answer: Self.fcPublish),
                .call("createStream", 4, answer: ["_result 4 1 @0"]),
                .call("publish", 5, .null, [.string("key"), .string("live")], stream: 1, answer: Self.started),
                .message(Self.setDataFrame, stream: 1, .metadata(["width": .number(1_280)])),
                .message(.audio(hex("AF 00 1190")), stream: 1, .audio(hex("AF 00 1190"), timestamp: 0)),
                .call(
                    "FCUnpublish", 6, .null, [.string("key")],
                    answer: ["onFCUnpublish 0 NetStream.Unpublish.Success @0", "_result 6 undefined @0"]),
                .call("deleteStream", 7, .null, [.number(1)], answer: []),
            ], app: "live", key: "key")
    }

    @Test func `GStreamer's rtmp2sink`() {
        play(
            [
                .call(
                    "connect", 1, .object(["app": .string("live"), "tcUrl": .string("rtmp://h/live")]),
                    answer: Self.accepted),
                .message(.windowAcknowledgementSize(2_500_000), .none),
                .call("releaseStream", 0, .null, [.string("key")], answer: ["_result 0 undefined @0"]),
                .call(
                    "FCPublish", 0, .null, [.string("key")],
                    answer: ["_result 0 undefined @0", "onFCPublish 0 NetStream.Publish.Start @0"]),
                .call("createStream", 2, answer: ["_result 2 1 @0"]),
                .call("publish", 3, .null, [.string("key"), .string("live")], stream: 1, answer: Self.started),
                .message(.userControl(.setBufferLength(messageStreamID: 1, milliseconds: 300)), .none),
                .message(Self.sequenceHeader, stream: 1, .video(hex("17 00 000000 01"), timestamp: 0)),
                .call("deleteStream", 0, .null, [.number(1)], answer: []),
            ], app: "live", key: "key")
    }

    @Test func `librtmp with its bandwidth check`() {
        play(
            [
                .call("connect", 1, .object(["app": .string("live")]), answer: Self.accepted),
                .call("releaseStream", 2, .null, [.string("key")], answer: ["_result 2 undefined @0"]),
                .call("FCPublish", 3, .null, [.string("key")], answer: Self.fcPublish),
                .call("_checkbw", 4, answer: ["_error 4 NetConnection.Call.Failed @0"]),
                .call("createStream", 5, answer: ["_result 5 1 @0"]),
                .message(
                    .userControl(.pingRequest(timestamp: 1)),
                    .send([
                        OutgoingMessage(.userControl(.pingResponse(timestamp: 1)))
                    ])),
                .call("publish", 6, .null, [.string("key"), .string("live")], stream: 1, answer: Self.started),
                .message(Self.sequenceHeader, stream: 1, .video(hex("17 00 000000 01"), timestamp: 0)),
                .call("closeStream", 0, stream: 1, answer: ["onStatus 0 NetStream.Unpublish.Success @1"]),
                .call("deleteStream", 8, .null, [.number(1)], answer: []),
            ], app: "live", key: "key")
    }

    @Test func `an encoder that creates its stream first`() {
        play(
            [
                .call("connect", 1, .object(["app": .string("live")]), answer: Self.accepted),
                .call("createStream", 2, answer: ["_result 2 1 @0"]),
                .call("FCPublish", 3, .null, [.string("key")], answer: Self.fcPublish),
                .call("getStreamLength", 4, .null, [.string("key")], answer: ["_error 4 NetConnection.Call.Failed @0"]),
                .call("publish", 5, .null, [.string("key"), .string("live")], stream: 1, answer: Self.started),
                .call("releaseStream", 6, .null, [.string("key")], answer: ["_result 6 undefined @0"]),
                .call("deleteStream", 7, .null, [.number(1)], answer: []),
            ], app: "live", key: "key")
    }
}
