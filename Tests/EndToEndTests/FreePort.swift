import NIOCore
import NIOPosix
import Synchronization

/// A port of 127.0.0.1 that nothing listens on, for listeners that cannot tell the one they took. None is given twice.
enum FreePort {
    struct NoneLeft: Error {}

    /// Below those that the system itself gives to whoever connects, or listens on any port: nobody gets one of them
    /// before it is used here.
    private static let range = 20_000..<30_000
    private static let given = Mutex<Set<Int>>([])

    static func tcp() async throws -> Int {
        try await number { port in
            ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: port)
        }
    }

    static func udp() async throws -> Int {
        try await number { port in
            DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: port)
        }
    }

    private static func number(of bind: (Int) -> EventLoopFuture<any Channel>) async throws -> Int {
        for port in range.shuffled() where given.withLock({ $0.insert(port).inserted }) {
            guard let channel = try? await bind(port).get() else { continue }
            try await channel.close()
            return port
        }
        throw NoneLeft()
    }
}
