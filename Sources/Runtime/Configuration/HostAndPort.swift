package import NIOCore

/// Where to listen or to connect: a host name or address, and a TCP port.
package struct HostAndPort: Hashable, Sendable {
    /// Without the brackets that an IPv6 address is written in.
    package var host: String
    /// 0 to 65535; 0 lets the system choose a free one.
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}

extension HostAndPort: LosslessStringConvertible {
    /// Reads `0.0.0.0:1935`, `localhost:80` or `[::1]:9094`; nil for all else.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let portText = text[text.index(after: colon)...]
        guard portText.allSatisfy({ $0.isASCII && $0.isNumber }), let port = UInt16(portText) else { return nil }
        let hostText = text[..<colon]
        if hostText.hasPrefix("["), hostText.hasSuffix("]"), hostText.count > 2 {
            let address = String(hostText.dropFirst().dropLast())
            guard case .v6 = try? SocketAddress(ipAddress: address, port: Int(port)) else { return nil }
            self.init(host: address, port: Int(port))
        } else {
            let isName = hostText.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-._".contains($0)) }
            guard !hostText.isEmpty, isName else { return nil }
            self.init(host: String(hostText), port: Int(port))
        }
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

extension HostAndPort {
    /// The address a socket really has; nil for one that is not of the Internet.
    package init?(_ address: SocketAddress?) {
        guard let host = address?.ipAddress, let port = address?.port else { return nil }
        self.init(host: host, port: port)
    }
}
