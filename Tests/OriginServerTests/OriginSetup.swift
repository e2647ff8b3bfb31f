import Logging
import NIOCore
import NIOPosix
import OriginServer
import OriginStore
import Testing

/// An origin that runs for one test, on free ports of this host.
struct Origin {
    let address: SocketAddress
    let store: ObjectStore
    let group: any EventLoopGroup

    func client() async throws -> Client { try await Client(to: address, on: group) }

    /// Sends a text on a connection of its own and gives all that comes until the server closes.
    func exchange(_ request: String) async throws -> String {
        let client = try await client()
        client.send(request)
        return try await client.receiveAll()
    }

    /// One request that the server closes after.
    func request(_ method: String, _ path: String, _ fields: String..., body: String? = nil) async throws -> Response {
        let length = body.map { "Content-Length: \($0.utf8.count)\r\n" } ?? ""
        let fields = fields.map { $0 + "\r\n" }.joined()
        return Response(
            try await exchange(
                "\(method) \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\(length)\(fields)\r\n\(body ?? "")"))
    }
}

func withOrigin(
    _ configure: (inout OriginConfiguration) -> Void = { _ in }, _ body: (Origin) async throws -> Void
) async throws {
    var configuration = OriginConfiguration()
    configuration.listen = SocketEndpoint(host: "127.0.0.1", port: 0)
    configuration.threads = 2
    configuration.sweepInterval = .milliseconds(20)
    configure(&configuration)
    let (listening, continuation) = AsyncStream.makeStream(of: [SocketAddress].self)
    let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    let server = try OriginServer(configuration: configuration, logger: logger) { continuation.yield($0) }
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await server.run() }
        var iterator = listening.makeAsyncIterator()
        let addresses = try #require(await iterator.next())
        try await body(
            Origin(
                address: try #require(addresses.first), store: server.store,
                group: MultiThreadedEventLoopGroup.singleton))
        tasks.cancelAll()
        try await tasks.waitForAll()
    }
}

func playlist(_ segments: [String], announcing prefetched: [String] = []) -> String {
    "#EXTM3U\n#EXT-X-TARGETDURATION:1\n" + segments.map { "#EXTINF:1,\n\($0)\n" }.joined()
        + prefetched.map { "#EXT-X-PREFETCH:\($0)\n" }.joined()
}

/// A response's text, taken apart.
struct Response {
    let status: Int
    let body: String
    private let fields: [Substring]

    init(_ text: String) {
        let end = text.firstRange(of: "\r\n\r\n")
        let head = end.map { text[..<$0.lowerBound] } ?? text[...]
        body = end.map { String(text[$0.upperBound...]) } ?? ""
        let lines = head.split(separator: "\r\n", omittingEmptySubsequences: false)
        status = Int(lines.first?.split(separator: " ").dropFirst().first ?? "") ?? 0
        fields = Array(lines.dropFirst())
    }

    /// A field's value; the last where there are several, which is no good response.
    subscript(_ name: String) -> String? {
        let found = fields.filter { $0.lowercased().hasPrefix(name.lowercased() + ":") }
        #expect(found.count <= 1, "\(name) is there \(found.count) times")
        return found.last.map { String($0.dropFirst(name.utf8.count + 1).drop { $0 == " " }) }
    }
}
