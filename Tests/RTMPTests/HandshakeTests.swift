import NIOCore
import RTMP
import Testing

/// 0, 1, 2, … so that the random bytes are known.
private struct Counter: RandomNumberGenerator {
    var value: UInt64 = 0
    mutating func next() -> UInt64 {
        defer { value += 1 }
        return value
    }
}

private func receive(_ handshake: inout Handshake, _ buffer: inout ByteBuffer) throws(RTMPError) -> Handshake.Action {
    var generator = Counter()
    return try handshake.receive(&buffer, time: 0x0102_0304, using: &generator)
}

private var expectedReply: ByteBuffer {
    var reply = hex("03 01020304 00000000")
    for value in UInt64(0)..<191 { reply.writeInteger(value) }
    return reply + c1
}

private let c1 = pattern(1_536)

@Suite struct HandshakeTests {
    @Test func `the reply goes out before C2`() throws {
        var handshake = Handshake()
        var buffer = hex("03") + c1
        let reply = try receive(&handshake, &buffer)
        #expect(reply == .send(expectedReply))
        #expect(expectedReply.readableBytes == 3_073)
        let next = try receive(&handshake, &buffer)
        #expect(next == .awaitBytes)
    }

    @Test func `any C2 finishes it and the first chunk stays in the buffer`() throws {
        var handshake = Handshake()
        var buffer = hex("03") + c1 + ByteBuffer(repeating: 0xEE, count: 1_536) + hex("02 00")
        let reply = try receive(&handshake, &buffer)
        #expect(reply == .send(expectedReply))
        let end = try receive(&handshake, &buffer)
        #expect(end == .finished)
        #expect(buffer == hex("02 00"))
    }

    @Test func `bytes one at a time give the same`() throws {
        var handshake = Handshake()
        var buffer = ByteBuffer()
        var actions: [Int: Handshake.Action] = [:]
        let bytes = hex("03") + c1 + pattern(1_536, from: 9)
        for (index, byte) in bytes.readableBytesView.enumerated() {
            buffer.writeInteger(byte)
            let action = try receive(&handshake, &buffer)
            if action != .awaitBytes { actions[index + 1] = action }
        }
        #expect(actions == [1_537: .send(expectedReply), 3_073: .finished])
    }

    @Test(arguments: [UInt8(0), 4, 6, 8, 21, 31]) func `an unknown version is answered with 3`(version: UInt8) throws {
        var handshake = Handshake()
        var buffer = ByteBuffer(bytes: [version]) + c1
        let reply = try receive(&handshake, &buffer)
        #expect(reply == .send(expectedReply))
    }

    @Test(arguments: [UInt8(32), UInt8(ascii: "G"), 255]) func `text is refused at its first byte`(byte: UInt8) {
        var handshake = Handshake()
        var buffer = ByteBuffer(bytes: [byte])
        #expect(throws: RTMPError.textClient(firstByte: byte)) { try receive(&handshake, &buffer) }
    }

    @Test func `a TLS hello is named at its second byte`() throws {
        var handshake = Handshake()
        var buffer = hex("16")
        let first = try receive(&handshake, &buffer)
        #expect(first == .awaitBytes)
        buffer.writeInteger(UInt8(3))
        #expect(throws: RTMPError.tlsClient) { try receive(&handshake, &buffer) }
    }

    @Test func `version 22 without a TLS record behind it is a version`() throws {
        var handshake = Handshake()
        var buffer = hex("16") + c1
        let reply = try receive(&handshake, &buffer)
        #expect(reply == .send(expectedReply))
    }
}
