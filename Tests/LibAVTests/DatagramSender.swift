import Foundation
import NIOCore
import NIOPosix

/// Sends to a port of this host that was free a moment ago.
struct DatagramSender {
    let port: Int

    init() async throws {
        let channel = try await Self.channel()
        port = channel.localAddress?.port ?? 0
        try await channel.close()
    }

    struct NobodyListens: Error {}

    /// Sends packets of a transport stream, as many as a socket holds, as soon as somebody takes what comes to the port.
    func send(_ packets: ArraySlice<MediaFiles.TransportPacket>) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        let line = ":" + String(format: "%04X", port) + " "
        while try !String(contentsOfFile: "/proc/net/udp", encoding: .utf8).contains(line) {
            guard ContinuousClock.now < deadline else { throw NobodyListens() }
            await Task.yield()
        }
        let channel = try await Self.channel()
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
        for first in stride(from: packets.startIndex, to: packets.endIndex, by: 7) {
            let datagram = ByteBuffer(bytes: packets[first..<min(first + 7, packets.endIndex)].flatMap(\.bytes))
            try await channel.writeAndFlush(AddressedEnvelope(remoteAddress: address, data: datagram))
        }
        try await channel.close()
    }

    private static func channel() async throws -> any Channel {
        try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: 0).get()
    }
}
