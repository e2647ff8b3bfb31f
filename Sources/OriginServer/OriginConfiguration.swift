package import NIOCore
package import OriginStore

/// How the origin listens, and how long it waits for its peers.
package struct OriginConfiguration: Sendable, Equatable {
    /// Where players and caches read: host and port; port 0 takes a free one.
    package var listen = SocketEndpoint(host: "0.0.0.0", port: 9094)
    /// Where uploads are taken. Nil: on ``listen`` too.
    package var publishListen: SocketEndpoint?
    package var cache = CachePolicy()
    package var store = StoreConfiguration()
    /// From a connection's start, or the end of a response, to the end of the next request's head.
    package var requestTimeout = TimeAmount.seconds(30)
    /// The longest silence within an upload.
    package var uploadTimeout = TimeAmount.seconds(30)
    /// How long a reader may take nothing while there is something for it.
    package var stallLimit = TimeAmount.seconds(30)
    /// How often the store expires what is due.
    package var sweepInterval = TimeAmount.seconds(1)
    /// Event loop threads.
    package var threads = 1

    package init() {}
}

/// A host and a port to listen on.
package struct SocketEndpoint: Sendable, Hashable {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}
