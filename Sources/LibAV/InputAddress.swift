/// Where an input comes from, in the way libavformat writes it.
package struct InputAddress: Hashable, Sendable {
    /// How an input begins and what its end means.
    package enum Kind: Hashable, Sendable {
        /// A file, read to its end; a FIFO is one as well until it is opened.
        case file
        /// A descriptor this process was started with.
        case descriptor(Int32)
        /// Waits for a peer to connect, as long as it takes.
        case listener
        /// Waits for datagrams of whoever sends some.
        case datagrams
        /// The same, where libavformat's demuxer does the waiting.
        case session
        /// Is connected to.
        case pull
    }

    package let url: String
    /// In lower case; `file` where there is none. Nothing else of the URL belongs into a log: it may hold keys.
    package let scheme: String
    package let kind: Kind
    /// Whether it can come faster than it plays, as stored media does.
    package let isStored: Bool
    /// Whether bytes of it may get lost on the way, and with the connection what is still under way.
    package let losesBytes: Bool

    package init(_ url: String) {
        self.url = url
        scheme = Self.scheme(of: url)
        switch scheme {
        case "file":
            // A session description is a small file about live streams.
            kind = url.lowercased().hasSuffix(".sdp") ? .session : .file
        case "pipe":
            kind = .descriptor(Int32(url.dropFirst("pipe:".count)) ?? 0)
        case "srt" where Self.query(of: url).contains { $0 == "mode=listener" || $0 == "mode=rendezvous" }:
            kind = .listener
        case "tcp" where Self.listens(url), "tls" where Self.listens(url):
            kind = .listener
        case "udp", "udplite", "rist":
            kind = .datagrams
        case "rtp", "srtp":
            kind = .session
        default:
            kind = .pull
        }
        isStored = kind == .file || ["http", "https", "hls", "ftp", "sftp", "concat", "data"].contains(scheme)
        losesBytes = ["srt", "udp", "udplite", "rist"].contains(scheme)
    }

    /// The path of a file.
    var path: String { url.hasPrefix("file:") ? String(url.dropFirst("file:".count)) : url }

    /// What stands before the first colon, if it can be a scheme (`RFC 3986 §3.1`).
    private static func scheme(of url: String) -> String {
        let allowed: (UInt8) -> Bool = { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        let prefix = url.utf8.prefix { $0 != UInt8(ascii: ":") }
        guard prefix.count < url.utf8.count, !prefix.isEmpty, prefix.allSatisfy(allowed) else { return "file" }
        return String(Substring(prefix)).lowercased()
    }

    private static func query(of url: String) -> [Substring] {
        guard let mark = url.firstIndex(of: "?") else { return [] }
        return url[url.index(after: mark)...].split(separator: "&")
    }

    /// `?listen`, with any number but 0, as libavformat's TCP has it.
    private static func listens(_ url: String) -> Bool {
        query(of: url).contains { $0 == "listen" || $0.hasPrefix("listen=") && $0 != "listen=0" }
    }
}
