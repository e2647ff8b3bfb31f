import OriginServer
import Runtime
import ServiceLifecycle

/// The origin, with its listening failures in words an operator can act on.
struct ListeningOrigin: Service {
    let server: OriginServer

    func run() async throws {
        do {
            try await server.run()
        } catch let error as ListenError {
            throw ListenFailure(
                setting: error.isForPublishing ? "publish-listen" : "listen",
                address: HostAndPort(host: error.endpoint.host, port: error.endpoint.port), error: error.cause)
        }
    }
}
