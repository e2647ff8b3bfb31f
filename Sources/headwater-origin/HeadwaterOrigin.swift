import ArgumentParser
import Foundation
import OriginServer
import Runtime
import ServiceLifecycle

@main
struct HeadwaterOrigin: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "headwater-origin",
        abstract: "Keeps live media while it is uploaded and serves it while it grows.",
        discussion: """
            Without arguments it listens on port 9094 for uploads (PUT, POST, DELETE) and for players, and keeps \
            everything in memory.

            Every flag can also be set by an environment variable (HEADWATER_LISTEN for --listen; lists with ';' for \
            --cache) and by a line of the YAML file that --config names (listen: 0.0.0.0:9094). A flag wins over the \
            environment, the environment over the file. Times are written 500ms, 1.5s or 2m; bytes 64MiB or 1GB.
            """)

    @OptionGroup var options: OriginOptions

    func run() async throws {
        let status = await ServiceRunner.main(program: "headwater-origin") {
            let sources = ConfigurationSources(
                keys: OriginSettings.keys, flags: options.flags, environment: ProcessInfo.processInfo.environment)
            let settings = try OriginSettings(sources.reader())
            let start = ServiceStart(label: "headwater.origin", settings: settings.process, sources: sources)
            var configuration = settings.origin
            configuration.threads = settings.process.eventLoops
            let server = OriginServer(configuration: configuration, logger: start.logger) { _ in
                start.readiness.set(true)
            }
            return start.runner(of: ListeningOrigin(server: server))
        }
        if status != .success { throw ExitCode(status.rawValue) }
    }
}

/// The origin, with its listening failures in words an operator can act on.
private struct ListeningOrigin: Service {
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
