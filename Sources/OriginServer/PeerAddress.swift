package import NIOCore

/// Whom a connection is counted for: an IPv4 address, or the /64 of an IPv6 address, which is one site's.
package struct PeerAddress: Hashable, Sendable, CustomStringConvertible {
    private enum Bytes: Hashable {
        case ipv4(UInt32)
        case ipv6(UInt64)
    }

    private let bytes: Bytes

    package init(ipv4: UInt32) { bytes = .ipv4(ipv4) }

    /// An IPv4 address within IPv6 (`RFC 4291 §2.5.5.2`) is the IPv4 address.
    package init(ipv6 high: UInt64, _ low: UInt64) {
        bytes = high == 0 && low >> 32 == 0xFFFF ? .ipv4(UInt32(truncatingIfNeeded: low)) : .ipv6(high)
    }

    /// Nil for a socket that is not of the Internet.
    package init?(_ address: SocketAddress) {
        switch address {
        case .v4(let address):
            // The address stands behind family and port (`ip(7)`).
            self.init(
                ipv4: UInt32(
                    bigEndian: unsafe withUnsafeBytes(of: address.address) { bytes in
                        unsafe bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
                    }))
        case .v6(let address):
            // Behind family, port and flow (`ipv6(7)`).
            let (high, low) = unsafe withUnsafeBytes(of: address.address) { bytes in
                unsafe (
                    bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                    bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
                )
            }
            self.init(ipv6: UInt64(bigEndian: high), UInt64(bigEndian: low))
        case .unixDomainSocket:
            return nil
        }
    }

    package var description: String {
        switch bytes {
        case .ipv4(let bytes):
            [24, 16, 8, 0].map { String(bytes >> $0 & 0xFF) }.joined(separator: ".")
        case .ipv6(let bytes):
            [48, 32, 16, 0].map { String(bytes >> $0 & 0xFFFF, radix: 16) }.joined(separator: ":") + "::/64"
        }
    }
}
