import Glibc
import NIOCore

/// A port of this host on which nobody listens, and which nobody else can take meanwhile.
struct DeadPort: ~Copyable {
    private let descriptor: CInt
    private let number: Int

    init() throws {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        let anyPort = try SocketAddress(ipAddress: "127.0.0.1", port: 0)
        let isBound = unsafe anyPort.withSockAddr { address, length in
            unsafe bind(descriptor, address, socklen_t(length)) == 0
        }
        // Family, port in network order, address.
        var taken = [UInt8](repeating: 0, count: 16)
        var length = socklen_t(taken.count)
        let isKnown = unsafe taken.withUnsafeMutableBytes { taken in
            guard let name = unsafe taken.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return false }
            return unsafe getsockname(descriptor, name, &length) == 0
        }
        guard isBound, isKnown else { throw IOError(errnoCode: errno, reason: "no port") }
        self.descriptor = descriptor
        number = Int(taken[2]) << 8 | Int(taken[3])
    }

    deinit { close(descriptor) }

    var url: String { "http://127.0.0.1:\(number)" }

    /// The port's socket, for who is to listen on it.
    consuming func takeSocket() -> CInt {
        let descriptor = descriptor
        discard self
        return descriptor
    }
}
