import CoreMetrics
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Testing

import Runtime

@Suite(.timeLimit(.minutes(2))) struct AdminServerTests {
    let registry = MetricsRegistry()
    let readiness = Readiness()
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    func server(
        _ address: HostAndPort = HostAndPort(host: "127.0.0.1", port: 0), deadline: TimeAmount = .seconds(10),
        maximumConnections: Int = 64
    ) -> AdminServer {
        AdminServer(
            address: address, metrics: registry, readiness: readiness,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), eventLoopGroup: group,
            deadline: deadline, maximumConnections: maximumConnections)
    }

    /// Sends the text and gives all that comes until the server closes.
    func exchange(_ request: String, with server: AdminServer) async throws -> String {
        let listener = try await server.bind()
        let response = try await RawClient(to: listener.localAddress, on: group).exchange(request)
        try await listener.close()
        return response
    }

    @Test func `metrics are served as text`() async throws {
        Counter(label: "c", factory: registry).increment()
        let response = try await exchange("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", with: server())
        #expect(response.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(response.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"))
        #expect(response.contains("\r\n\r\n# HELP c_total c\n# TYPE c_total counter\nc_total 1\n"))
    }

    @Test(arguments: [
        ("GET /healthz", "200 OK", "ok\n"), ("GET /healthz?x=1", "200 OK", "ok\n"), ("HEAD /healthz", "200 OK", ""),
        ("GET /readyz", "503 Service Unavailable", "not ready\n"),
        ("GET /", "404 Not Found", "there are /metrics, /healthz and /readyz\n"),
        ("GET /metrics/../x", "404 Not Found", "there are /metrics, /healthz and /readyz\n"),
        ("POST /metrics", "405 Method Not Allowed", "GET and HEAD alone\n"),
        ("nonsense", "400 Bad Request", "not HTTP\n"),
    ])
    func `each path has its answer`(request: String, status: String, body: String) async throws {
        let response = try await exchange("\(request) HTTP/1.1\r\nHost: a\r\n\r\n", with: server())
        #expect(response.hasPrefix("HTTP/1.1 \(status)\r\n"))
        #expect(response.hasSuffix("\r\n\r\n\(body)"))
    }

    @Test func `readiness can be set`() async throws {
        readiness.set(true)
        let response = try await exchange("GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n", with: server())
        #expect(response.hasPrefix("HTTP/1.1 200 OK\r\n"))
    }

    @Test func `one connection has one answer`() async throws {
        let request = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
        let response = try await exchange(request + request, with: server())
        #expect(response.split(separator: "HTTP/1.1 200", omittingEmptySubsequences: false).count == 2)
    }

    @Test func `a request that is too long is cut off`() async throws {
        let long = String(repeating: "x", count: AdminServer.maximumRequestBytes)
        let response = try await exchange("GET /healthz HTTP/1.1\r\nA: \(long)\r\n\r\n", with: server())
        #expect(response == "")
    }

    @Test func `a connection that says nothing is closed`() async throws {
        let response = try await exchange("", with: server(deadline: .milliseconds(20)))
        #expect(response == "")
    }

    @Test func `connections beyond the limit are closed, and leaving makes room`() async throws {
        let listener = try await server(maximumConnections: 1).bind()
        let request = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
        let first = try await RawClient(to: listener.localAddress, on: group)
        let second = try await RawClient(to: listener.localAddress, on: group)
        #expect(try await second.exchange(request) == "")
        #expect(try await first.exchange(request).hasSuffix("ok\n"))
        let third = try await RawClient(to: listener.localAddress, on: group)
        #expect(try await third.exchange(request).hasSuffix("ok\n"))
        try await listener.close()
    }

    @Test func `an address in use is told with what to do`() async throws {
        let listener = try await server().bind()
        let address = try #require(HostAndPort(listener.localAddress))
        let failure = await #expect(throws: ListenFailure.self) { try await server(address).bind() }
        #expect(failure?.reason == .addressInUse)
        #expect(
            failure.map { "\($0)" }?.hasPrefix("cannot listen on \(address): another program listens there") == true)
        #expect(failure.map { "\($0)" }?.hasSuffix("(--admin-listen)") == true)
        let runner = ServiceRunner(
            services: [server(address)], logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        #expect(await runner.run() == .failure)
        try await listener.close()
    }

    @Test func `it stops when told to`() async throws {
        let services = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [server()], logger: Logger(label: "test")))
        await services.triggerGracefulShutdown()
        try await services.run()
    }
}
