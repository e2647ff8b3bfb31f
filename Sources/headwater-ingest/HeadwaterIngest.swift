import ArgumentParser
import Foundation
import IngestServer
import Runtime
import ServiceLifecycle
import Upload

@main
struct HeadwaterIngest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "headwater-ingest",
        abstract: "Takes live media from encoders, makes renditions, and pushes HLS segments while they are produced.",
        discussion: """
            Without arguments it listens on port 1935 and pushes to an origin on this host. Point the encoder at \
            rtmp://HOST:1935/live with the stream key 'stream' (H.264 and AAC, a keyframe every second); play \
            http://127.0.0.1:9094/live/stream/playlist.m3u8. Without an encoder at hand, --test-pattern live/stream is one. \
            --rendition source,720p,480p,audio makes a ladder of each stream.

            Every flag can also be set by an environment variable (HEADWATER_RTMP_LISTEN for --rtmp-listen; lists with \
            commas) and by a line of the YAML file that --config names (rtmp-listen: 0.0.0.0:1935). A flag wins over \
            the environment, the environment over the file. Times are written 500ms, 1.5s or 2m.
            """)

    @OptionGroup var options: IngestOptions

    func run() async throws {
        let status = await ServiceRunner.main(program: "headwater-ingest") {
            let sources = ConfigurationSources(
                keys: IngestSettings.keys, flags: options.flags, environment: ProcessInfo.processInfo.environment)
            let settings = try IngestSettings(sources.reader())
            let start = ServiceStart(label: "headwater.ingest", settings: settings.process, sources: sources)
            var configuration = settings.ingest
            configuration.threads = settings.process.eventLoops
            let uploader = try Uploader(destinations: settings.destinations, logger: start.logger)
            let server = IngestServer(configuration: configuration, uploader: uploader, logger: start.logger) {
                start.readiness.set(true)
            }
            let address = HostAndPort(host: configuration.rtmpHost, port: configuration.rtmpPort)
            // Certificates are read for each connection: the token is all that is kept.
            let reload: @Sendable () -> Void = { uploader.reloadTokens() }
            return start.runner(
                of: [ListeningIngest(server: server, address: address)],
                waitsFor: { "segments under way, to be delivered" },
                onReload: settings.originAccess.tokenFile == nil ? nil : reload)
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
