import ArgumentParser
import Foundation
import Logging
import NIOCore
import OriginPersistence
import OriginServer
import OriginStore
import Runtime
import ServiceLifecycle

@main
struct HeadwaterOrigin: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "headwater-origin",
        abstract: "Keeps live media while it is uploaded and serves it while it grows.",
        discussion: """
            Without arguments it listens on port 9094 for uploads (PUT, POST, DELETE) and for players, and keeps \
            everything in memory. HTTP/1.1 and HTTP/2 are spoken, with TLS where --tls-certificate is given.

            Every flag can also be set by an environment variable (HEADWATER_LISTEN for --listen; lists with ';' for \
            --cache) and by a line of the YAML file that --config names (listen: 0.0.0.0:9094). A flag wins over the \
            environment, the environment over the file. Times are written 500ms, 1.5s or 2m; bytes 64MiB or 1GB.

            SIGHUP reads tokens, keys, rules and certificates again. SIGTERM ends what is under way within \
            --drain-limit and then the process; another one ends it at once.
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
            // Listeners, event loops, files and the admin endpoint need some too.
            let others = AdminServer.maximumConnections + 64
            configuration.connectionLimit = configuration.connectionLimit ?? max(16, ProcessLimits.openFiles - others)
            let directory = try settings.dataDirectory.map { try DataDirectory($0, logger: start.logger) }
            let store = ObjectStore(configuration: configuration.store, journal: directory)
            let server: OriginServer
            do throws(OriginFileError) {
                server = try OriginServer(configuration: configuration, store: store, logger: start.logger) { _ in
                    start.readiness.set(true)
                }
            } catch {
                throw ConfigurationError.invalidFile(path: error.path, line: nil, reason: error.reason)
            }
            let reload: @Sendable () -> Void = { server.reload() }
            if let directory { restore(store, from: directory, start.logger) }
            return start.runner(
                of: (directory.map { [$0] } ?? []) + [ListeningOrigin(server: server)],
                drainLimit: .nanoseconds(configuration.drainLimit.nanoseconds) + .seconds(7),
                waitsFor: { "growing responses and uploads" },
                onReload: configuration.files == OriginFiles() ? nil : reload)
        }
        if status != .success { throw ExitCode(status.rawValue) }
    }

    private func restore(_ store: ObjectStore, from directory: DataDirectory, _ logger: Logger) {
        let restored = directory.load(limitBytes: store.configuration.memoryLimitBytes) { found, read in
            store.restore(found, now: .now(), unixTime: time(nil), read: read)
        }
        logger.info("restored", metadata: ["objects": "\(restored.objects)", "playlists": "\(restored.playlists)"])
    }
}
