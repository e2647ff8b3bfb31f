import NIOCore
import RTMP
import Testing

@Suite struct RTMPMessageTests {
    private static let connect = hex(
        "02 0007 636F6E6E656374 00 3FF0000000000000 03 0003 617070 02 0004 6C697665 000009")
    private static let connectCommand = RTMPMessage.command(
        RTMPCommand(name: "connect", transactionID: 1, object: .object(["app": .string("live")])))

    @Test(arguments: [
        WireCase("set chunk size", hex("00001000"), RTMPMessage.setChunkSize(4_096)),
        WireCase("abort", hex("00000004"), .abort(chunkStreamID: 4)),
        WireCase("acknowledgement", hex("FFFFFFFF"), .acknowledgement(sequenceNumber: .max)),
        WireCase("window", hex("002625A0"), .windowAcknowledgementSize(2_500_000)),
        WireCase(
            "peer bandwidth", hex("002625A0 02"), .setPeerBandwidth(windowBytes: 2_500_000, limitType: .dynamic)),
        WireCase("stream begin", hex("0000 00000001"), .userControl(.streamBegin(messageStreamID: 1))),
        WireCase("stream EOF", hex("0001 00000001"), .userControl(.streamEOF(messageStreamID: 1))),
        WireCase("stream dry", hex("0002 00000001"), .userControl(.streamDry(messageStreamID: 1))),
        WireCase(
            "set buffer length", hex("0003 00000001 00000BB8"),
            .userControl(.setBufferLength(messageStreamID: 1, milliseconds: 3_000))),
        WireCase("stream is recorded", hex("0004 00000001"), .userControl(.streamIsRecorded(messageStreamID: 1))),
        WireCase("ping request", hex("0006 00000007"), .userControl(.pingRequest(timestamp: 7))),
        WireCase("ping response", hex("0007 00000007"), .userControl(.pingResponse(timestamp: 7))),
        WireCase("another event", hex("001A AABB"), .userControl(.other(eventType: 26, data: hex("AABB")))),
        WireCase("command", connect, connectCommand),
        WireCase(
            "command with arguments", hex("02 0001 61 00 0000000000000000 05 02 0001 62 06"),
            .command(RTMPCommand(name: "a", transactionID: 0, arguments: [.string("b"), .undefined]))),
        WireCase(
            "data", hex("02 000A 6F6E4D65746144617461 08 00000000 000009"),
            .data(RTMPData(handler: "onMetaData", values: [.ecmaArray([:])]))),
        WireCase("audio", hex("AF01AA"), .audio(hex("AF01AA"))),
        WireCase("silence", hex(""), .audio(hex(""))),
        WireCase("video", hex("1701000000AA"), .video(hex("1701000000AA"))),
        WireCase("shared object", hex("AA"), .other(typeID: 19, hex("AA"))),
        WireCase("a type nobody has defined", hex("AA"), .other(typeID: 200, hex("AA"))),
    ]) func `a message reads and writes`(row: WireCase<RTMPMessage>) throws {
        let message = RawMessage(
            chunkStreamID: 3, timestamp: 0, typeID: row.value.typeID, messageStreamID: 0, payload: row.bytes)
        #expect(try RTMPMessage(message) == row.value)
        #expect(row.value.encode() == row.bytes)
    }

    @Test(arguments: MessageTypeID.allCases) func `every prefix of a message is judged and survived`(
        type: MessageTypeID
    ) {
        for length in 0...Self.connect.readableBytes {
            _ = try? RTMPMessage(raw(3, 0, type, 0, Self.connect.prefix(length)))
        }
        if [.setChunkSize, .abort, .acknowledgement, .windowAcknowledgementSize, .setPeerBandwidth].contains(type) {
            #expect(throws: RTMPError.messageTruncated(typeID: type.rawValue)) {
                try RTMPMessage(raw(2, 0, type, 0, hex("000000")))
            }
        }
    }

    @Test func `a short user control message is refused`() {
        for bytes in ["00", "0000", "0000 000000", "0003 00000001 000000"] {
            #expect(throws: RTMPError.messageTruncated(typeID: 4)) {
                try RTMPMessage(raw(2, 0, .userControl, 0, hex(bytes)))
            }
        }
    }

    @Test func `an AMF3 command is AMF0 behind a zero`() throws {
        #expect(try RTMPMessage(raw(3, 0, .commandAMF3, 0, hex("00") + Self.connect)) == Self.connectCommand)
        #expect(try RTMPMessage(raw(3, 0, .commandAMF3, 0, Self.connect)) == Self.connectCommand)
    }

    @Test func `an AMF3 command may switch to AMF3 scalars`() throws {
        // name, 5, null, then "key" and "live" in AMF3, as Flash does with object encoding 3
        let bytes = hex("00 02 0007 7075626C697368 00 4014000000000000 05 11 06 07 6B6579 11 06 09 6C697665")
        #expect(
            try RTMPMessage(raw(3, 0, .commandAMF3, 1, bytes))
                == .command(
                    RTMPCommand(name: "publish", transactionID: 5, arguments: [.string("key"), .string("live")])))
    }

    @Test func `a command is a name and a number`() {
        #expect(throws: RTMPError.commandMalformed) { try RTMPMessage(raw(3, 0, .commandAMF0, 0, hex("05"))) }
        #expect(throws: RTMPError.commandMalformed) {
            try RTMPMessage(raw(3, 0, .commandAMF0, 0, hex("02 0001 61 05")))
        }
        #expect(throws: RTMPError.amfTruncated) { try RTMPMessage(raw(3, 0, .commandAMF0, 0, hex(""))) }
    }

    @Test func `data that breaks a rule is no reason to lose a publisher`() throws {
        var bomb = hex("02 000A 6F6E4D65746144617461")
        for _ in 0..<10_000 { bomb.writeImmutableBuffer(hex("03 0001 61")) }
        #expect(try RTMPMessage(raw(4, 0, .dataAMF0, 1, bomb)) == .unreadableData(.amfTooDeep))
        #expect(
            try RTMPMessage(raw(4, 0, .dataAMF3, 1, hex("00 11 0A"))) == .unreadableData(.amf3Unsupported(marker: 10)))
        #expect(throws: RTMPError.amfTooDeep) {
            try RTMPMessage(raw(3, 0, .commandAMF0, 0, hex("02 0001 61 00 0000000000000000") + bomb.dropping(13)))
        }
    }

    @Test(arguments: [
        RTMPData(handler: "onMetaData", values: [.object(["width": .number(1_280)])]),
        RTMPData(handler: "onMetaData", values: [.ecmaArray(["width": .number(1_280)])]),
        RTMPData(handler: "@setDataFrame", values: [.string("onMetaData"), .ecmaArray(["width": .number(1_280)])]),
    ]) func `metadata is found in each of its forms`(data: RTMPData) {
        #expect(data.metadata == ["width": .number(1_280)])
    }

    @Test(arguments: [
        RTMPData(handler: "onMetaData"), RTMPData(handler: "@setDataFrame", values: [.string("onMetaData")]),
        RTMPData(handler: "@setDataFrame", values: [.string("onCuePoint"), .object([:])]),
        RTMPData(handler: "onTextData", values: [.object([:])]),
    ]) func `other data is no metadata`(data: RTMPData) {
        #expect(data.metadata == nil)
    }

    @Test func `control goes out on chunk stream 2 and at timestamp 0`() {
        let window = OutgoingMessage(.windowAcknowledgementSize(1)).raw
        #expect(window == raw(2, 0, .windowAcknowledgementSize, 0, hex("00000001")))
        #expect(OutgoingMessage(Self.connectCommand).raw == raw(3, 0, .commandAMF0, 0, Self.connect))
        #expect(
            OutgoingMessage(Self.connectCommand, messageStreamID: 1).raw == raw(5, 0, .commandAMF0, 1, Self.connect))
    }

    @Test func `a command's description shows nothing of the peer`() {
        let command = RTMPCommand(name: "publish", transactionID: 5, arguments: [.string("key?token=secret")])
        #expect(!"\(command) \(RTMPMessage.command(command))".contains("secret"))
    }
}
