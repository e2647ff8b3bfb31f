import Logging
import NIOCore
import NIOPosix
import OriginPersistence
import OriginServer
import OriginStore
import ServiceLifecycle
import Testing

/// An origin that runs for one test, on free ports of this host.
struct Origin: Sendable {
    let address: SocketAddress
    /// The same as `address` where there is no listener of its own for publishers.
    let publishAddress: SocketAddress
    let server: OriginServer
    /// The lines of its log so far, `MESSAGE KEY=VALUE…`.
    let log: Watched<[String]>
    /// Begins the origin's graceful end.
    let shutDown: @Sendable () async -> Void

    /// Waits until a line is logged.
    func logged(_ line: String) async throws {
        try await log.wait(for: "line '\(line)'") { $0.contains(line) ? () : nil }
    }

    /// Returns when each event loop has done what was under way on it: connections are given to them in turn.
    func turnEventLoops() async throws {
        for _ in 0..<4 { try await send(.options("*")) }
    }

    /// A request on a connection of its own, under way.
    ///
    /// - Parameter isPaused: whether the response waits in small buffers until the exchange is told to read.
    func open(
        _ request: Request, over version: HTTPVersion, isPaused: Bool = false, isBodyOpen: Bool = false
    ) async throws -> Exchange {
        switch version {
        case .http1:
            let connection = try await HTTP1Connection(to: address, receiveBuffer: isPaused ? 65_536 : nil)
            return connection.open(request, isBodyOpen: isBodyOpen)
        case .http2:
            let connection = try await HTTP2Connection(to: address)
            return try await connection.open(request, isPaused: isPaused, isBodyOpen: isBodyOpen)
        }
    }

    /// A request on a connection of its own, which is closed after.
    @discardableResult
    func send(_ request: Request, over version: HTTPVersion = .http1, publishing: Bool = false) async throws -> Response
    {
        let address = publishing ? publishAddress : address
        switch version {
        case .http1:
            let connection = try await HTTP1Connection(to: address)
            defer { connection.close() }
            return try await connection.open(request).response()
        case .http2:
            let connection = try await HTTP2Connection(to: address)
            defer { connection.close() }
            return try await connection.open(request).response()
        }
    }

    /// Opens an upload of unknown length, and returns when the origin knows of it and has these bytes.
    func upload(_ path: String, _ text: String, over version: HTTPVersion = .http1) async throws -> Exchange {
        let upload = try await open(
            .stream(path, [], "Expect: 100-continue"), over: version, isBodyOpen: true)
        try await upload.interim(100)
        guard !text.isEmpty else { return upload }
        upload.send(text)
        let viewer = try await open(.get(path), over: version)
        try await viewer.body(text)
        viewer.abort()
        return upload
    }

    /// Sends a text as it is and gives the responses, once the server has closed.
    func exchange(_ text: String) async throws -> [Response] {
        let connection = try await HTTP1Connection(to: address)
        connection.send(text)
        return try await connection.responsesUntilClosed()
    }
}

/// Runs an origin for as long as the body takes.
/// - Parameter directory: keeps what the origin stores.
func withOrigin(
    on directory: DataDirectory? = nil, _ configure: (inout OriginConfiguration) throws -> Void = { _ in },
    _ body: @Sendable (Origin) async throws -> Void
) async throws {
    var configuration = OriginConfiguration()
    configuration.listen = SocketEndpoint(host: "127.0.0.1", port: 0)
    configuration.threads = 2
    configuration.sweepInterval = .milliseconds(20)
    // What broke off is given up at once, where a test does not say otherwise.
    configuration.store.resumeWindow = .milliseconds(50)
    // What only takes its time on a busy host is not.
    configuration.stallLimit = .minutes(10)
    configuration.uploadTimeout = .minutes(5)
    configuration.drainLimit = .minutes(1)
    try configure(&configuration)
    let listening = Watched<[SocketAddress]>([])
    let log = Watched<[String]>([])
    let logger = Logger(label: "test", factory: { _ in LogRecorder(lines: log) })
    let store = ObjectStore(configuration: configuration.store, journal: directory)
    let server = try OriginServer(configuration: configuration, store: store, logger: logger) { addresses in
        listening.change { $0 = addresses }
    }
    let services: [any Service] = (directory.map { [$0] } ?? []) + [server]
    let group = ServiceGroup(services: services, logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        let addresses = try await listening.wait(for: "listener") { $0.isEmpty ? nil : $0 }
        try await body(
            Origin(
                address: addresses[0], publishAddress: addresses[addresses.count - 1], server: server, log: log,
                shutDown: { await group.triggerGracefulShutdown() }))
        tasks.cancelAll()
        // That it was cancelled is how it ends here.
        while let result = await tasks.nextResult() {
            if case .failure(let error) = result, !(error is CancellationError) { throw error }
        }
    }
}

/// A media playlist of one-second segments.
func playlist(_ segments: [String], announcing announced: [String] = []) -> String {
    "#EXTM3U\n#EXT-X-TARGETDURATION:1\n" + segments.map { "#EXTINF:1,\n\($0)\n" }.joined()
        + announced.map { "#EXT-X-PREFETCH:\($0)\n" }.joined()
}
