import ArgumentParser
import CoreMetrics
import Foundation
import IngestServer
import Logging
import Runtime
import ServiceLifecycle
import Upload

@main
struct HeadwaterIngest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "headwater-ingest",
        abstract: "Takes RTMP from encoders and pushes HLS segments while they are produced.",
        discussion: """
            Without arguments it listens on port 1935 and pushes to an origin on this host. Point the encoder at \
            rtmp://HOST:1935/live with the stream key 'stream' (H.264 and AAC, a keyframe every second); play \
            http://127.0.0.1:9094/live/stream/playlist.m3u8.

            Every flag can also be set by an environment variable (HEADWATER_RTMP_LISTEN for --rtmp-listen; lists with \
            commas) and by a line of the YAML file that --config names (rtmp-listen: 0.0.0.0:1935). A flag wins over \
            the environment, the environment over the file.
            """)

    @OptionGroup var options: IngestOptions

    func run() async throws {
        let status = await ServiceRunner.main(program: "headwater-ingest") {
            let sources = ConfigurationSources(
                keys: IngestSettings.keys, flags: options.flags, environment: ProcessInfo.processInfo.environment)
            let settings = try IngestSettings(sources.reader())
            settings.logFormat.bootstrap(level: settings.logLevel)
            let logger = Logger(label: "headwater.ingest")
            for name in sources.unknownEnvironmentVariables {
                logger.warning("unknown environment variable", metadata: ["name": "\(name)"])
            }
            let metrics = MetricsRegistry()
            MetricsSystem.bootstrap(metrics)
            var configuration = settings.ingest
            configuration.threads = settings.threads ?? Processors.available
            let readiness = Readiness(isReady: true)
            let admin = AdminServer(
                address: settings.adminListen, metrics: metrics, readiness: readiness, logger: logger)
            let uploader = try Uploader(destinations: settings.destinations, logger: logger)
            let ingest = ListeningIngest(
                server: IngestServer(configuration: configuration, uploader: uploader, logger: logger),
                address: HostAndPort(host: configuration.rtmpHost, port: configuration.rtmpPort))
            return ServiceRunner(services: [admin, ingest], readiness: readiness, logger: logger)
        }
        if status != .success { throw ExitCode(status.rawValue) }
    }
}

/// The ingest, with its listening failures in words an operator can act on.
private struct ListeningIngest: Service {
    let server: IngestServer
    let address: HostAndPort

    func run() async throws {
        do {
            try await server.run()
        } catch let error as ListenError {
            throw ListenFailure(setting: "rtmp-listen", address: address, error: error.cause)
        }
    }
}
