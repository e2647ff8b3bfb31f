import HTTPSemantics
import NIOHTTP1

extension HTTPRequestHead {
    /// What is wrong that the parser lets pass, with the status it is refused by; nil where nothing is.
    var flaw: (HTTPResponseStatus, String)? {
        var hosts = 0
        for (name, value) in headers {
            switch name.utf8.count {
            case 4 where name[...].utf8.isWord("host"):
                hosts += 1
                guard hosts == 1, Self.isHost(value) else {
                    return (.badRequest, "there must be one Host header, with a host")
                }
            case 17 where name[...].utf8.isWord("transfer-encoding"):
                guard version.minor > 0 else { return (.badRequest, "HTTP/1.0 has no transfer codings") }
                guard value[...].utf8.withoutOuterSpace.isWord("chunked") else {
                    return (.notImplemented, "chunked is the only transfer coding taken")
                }
            default: break
            }
        }
        guard hosts == 1 || version.minor == 0 else {
            return (.badRequest, "there must be one Host header, with a host")
        }
        return nil
    }

    /// Nothing in it that no host has (`RFC 9110 §7.2`).
    private static func isHost(_ text: String) -> Bool {
        text[...].utf8.withoutOuterSpace.allSatisfy { byte in
            switch byte {
            case 0x21...0x7E: !"/?#@,\"<>\\".utf8.contains(byte)
            default: false
            }
        }
    }
}
