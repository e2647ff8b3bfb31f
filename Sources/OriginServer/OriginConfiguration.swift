package import NIOCore
package import OriginStore

/// How the origin listens, what it lets in, and how long it waits for its peers.
package struct OriginConfiguration: Sendable, Equatable {
    /// Where players and caches read: host and port; port 0 takes a free one.
    package var listen = SocketEndpoint(host: "0.0.0.0", port: 9094)
    /// Where uploads are taken. Nil: on ``listen`` too.
    package var publishListen: SocketEndpoint?
    package var files = OriginFiles()
    package var cache = CachePolicies()
    package var store = StoreConfiguration()

    /// How long a GET of what is not there waits for it to come; zero: it is answered with 404 at once.
    package var holdMissing = TimeAmount.zero
    /// From a connection's start, or the first byte of a request, to the end of the request's head; less what a connection
    /// waits for its turn.
    package var requestTimeout = TimeAmount.seconds(10)
    /// How long a connection may rest between requests. Longer than a cache in front keeps it, so that none is closed
    /// under a request.
    package var idleTimeout = TimeAmount.seconds(75)
    /// The longest silence within an upload.
    package var uploadTimeout = TimeAmount.seconds(30)
    /// Less than this is silence.
    package var uploadProgressBytes = 64
    /// How long a reader may take nothing while there is something for it.
    package var stallLimit = TimeAmount.seconds(30)
    /// How long growing responses and uploads may go on once the origin is to stop.
    package var drainLimit = TimeAmount.seconds(10)

    /// A request's fields together, in bytes.
    package var headerLimitBytes = 32 << 10
    /// Connections at once; nil: 10,000.
    package var connectionLimit: Int?
    /// Connections at once from one address (an IPv6 address counts by its /64); nil: half of all.
    package var connectionsPerAddress: Int?
    /// Requests in error a second from one address; more are answered with 429. 0: no limit.
    package var errorRate = 100

    /// How often the store expires what is due.
    package var sweepInterval = TimeAmount.seconds(1)
    /// Event loop threads.
    package var threads = 1

    package init() {}

    /// How often connections look at their deadlines: none is missed by much more than a quarter.
    var tick: TimeAmount {
        let limits = [requestTimeout, idleTimeout, uploadTimeout, stallLimit, store.holdLimit, holdMissing]
        let shortest = limits.filter { $0 > .zero }.min() ?? .seconds(1)
        return min(.seconds(1), max(.milliseconds(20), .nanoseconds(shortest.nanoseconds / 4)))
    }
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
