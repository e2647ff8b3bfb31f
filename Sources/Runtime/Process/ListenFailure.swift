import Glibc
import NIOCore

/// An address that cannot be listened on, with what to do about it.
package struct ListenFailure: Error, Equatable {
    package enum Reason: Equatable, Sendable {
        case addressInUse
        case permissionDenied
        case addressNotOfThisHost
        case other(String)
    }

    /// The name of the setting that gave the address, such as `rtmp-listen`.
    package var setting: String
    package var address: HostAndPort
    package var reason: Reason

    package init(setting: String, address: HostAndPort, error: any Error) {
        self.setting = setting
        self.address = address
        reason =
            switch (error as? IOError)?.errnoCode {
            case EADDRINUSE: .addressInUse
            case EACCES, EPERM: .permissionDenied
            case EADDRNOTAVAIL: .addressNotOfThisHost
            default: .other("\(error)")
            }
    }
}

extension ListenFailure: CustomStringConvertible {
    package var description: String {
        let cause =
            switch reason {
            case .addressInUse:
                "another program listens there; stop it (“ss -ltnp” tells which it is) or give another address"
            case .permissionDenied:
                "this user may not; ports below 1024 need the capability CAP_NET_BIND_SERVICE, or give a higher port"
            case .addressNotOfThisHost:
                "no network interface of this host has that address; give one that has, or 0.0.0.0 for all"
            case .other(let text):
                text
            }
        return "cannot listen on \(address): \(cause) (--\(setting))"
    }
}
