import NIOCore
import NIOPosix

/// A port of 127.0.0.1 that nothing listens on, for listeners that cannot tell the one they took.
enum FreePort {
    static func tcp() async throws -> Int {
        try await number(
            of: ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: 0).get())
    }

    static func udp() async throws -> Int {
        try await number(
            of: DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: 0).get())
    }

    private static func number(of channel: any Channel) async throws -> Int {
        let port = channel.localAddress?.port ?? 0
        try await channel.close()
        return port
    }
}
