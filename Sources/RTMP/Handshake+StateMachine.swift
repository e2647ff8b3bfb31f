package import NIOCore

/// The server's side of the handshake (`RTMP 1.0 §5.2`).
///
/// | state | entered when | what is awaited |
/// |---|---|---|
/// | awaitingVersion | the socket opened | C0, 1 byte, judged as soon as it is in |
/// | awaitingRandom | C0 is a version | C1, 1536 bytes; S0, S1 and S2 go out the moment it is in |
/// | awaitingEcho | the reply went out | C2, 1536 bytes, counted and thrown away |
/// | finished | C2 is in | nothing: what follows are chunks |
///
/// S2 does not wait for C2: ffmpeg and GStreamer read all 3073 bytes before they write C2.
package struct Handshake: ~Copyable {
    private enum State {
        case awaitingVersion
        case awaitingRandom
        case awaitingEcho(bytesLeft: Int)
        case finished
    }

    package enum Action: Equatable {
        /// Nothing to do until more bytes are appended to the buffer.
        case awaitBytes
        /// Send S0, S1 and S2, then call `receive` again, for C2 may be in the buffer already.
        case send(ByteBuffer)
        /// What is left in the buffer are chunks.
        case finished
    }

    /// The size of C1, C2, S1 and S2, in bytes (`RTMP 1.0 §5.2.3`).
    package static let packetBytes = 1_536
    /// The version we speak, and answer to a version we do not know (`RTMP 1.0 §5.2.2`).
    package static let version: UInt8 = 3

    private var state = State.awaitingVersion

    package init() {}

    /// Takes what it needs from the front of `buffer` and leaves the rest there, C1 too until it is whole.
    ///
    /// `time` is in milliseconds from an epoch of our choice. Throws `textClient` or `tlsClient` at the first bytes.
    package mutating func receive(
        _ buffer: inout ByteBuffer, time: UInt32, using generator: inout some RandomNumberGenerator
    ) throws(RTMPError) -> Action {
        switch state {
        case .awaitingVersion:
            guard try Self.readVersion(&buffer) else { return .awaitBytes }
            state = .awaitingRandom
            return try receive(&buffer, time: time, using: &generator)
        case .awaitingRandom:
            guard let random = buffer.readSlice(length: Self.packetBytes) else { return .awaitBytes }
            state = .awaitingEcho(bytesLeft: Self.packetBytes)
            return .send(Self.reply(to: random, time: time, using: &generator))
        case .awaitingEcho(let bytesLeft):
            let taken = min(bytesLeft, buffer.readableBytes)
            buffer.moveReaderIndex(forwardBy: taken)
            state = taken == bytesLeft ? .finished : .awaitingEcho(bytesLeft: bytesLeft - taken)
            return taken == bytesLeft ? .finished : .awaitBytes
        case .finished:
            return .finished
        }
    }

    /// Reads C0; false while it is not in.
    private static func readVersion(_ buffer: inout ByteBuffer) throws(RTMPError) -> Bool {
        guard let version = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self) else { return false }
        if version >= 32 { throw .textClient(firstByte: version) }
        if version == 22 {
            // 16 03 starts a TLS handshake record (RFC 8446 §5.1); such a client sends no more until it is answered.
            guard let major = buffer.getInteger(at: buffer.readerIndex + 1, as: UInt8.self) else { return false }
            if major == 3 { throw .tlsClient }
        }
        buffer.moveReaderIndex(forwardBy: 1)
        return true
    }

    /// S0, S1 and S2; the zeros at S1's bytes 4–7 tell the client that there is no digest in it, and S2 repeats C1 exactly.
    private static func reply(
        to random: ByteBuffer, time: UInt32, using generator: inout some RandomNumberGenerator
    ) -> ByteBuffer {
        var reply = ByteBuffer()
        reply.reserveCapacity(1 + 2 * packetBytes)
        reply.writeInteger(version)
        reply.writeInteger(time)
        reply.writeInteger(UInt32(0))
        for _ in 0..<(packetBytes - 8) / 8 {
            reply.writeInteger(generator.next())
        }
        reply.writeImmutableBuffer(random)
        return reply
    }
}
