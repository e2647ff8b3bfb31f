import CoreMetrics
package import Logging
package import ServiceLifecycle

/// What a service starts with: the log and the metrics are set up, and the admin endpoint says that it is not ready.
package struct ServiceStart: Sendable {
    package let logger: Logger
    /// To be set when the service can be sent work.
    package let readiness = Readiness()
    private let admin: AdminServer

    /// To be called once in a process, as there is one log and one set of metrics.
    package init(label: String, settings: ProcessSettings, sources: ConfigurationSources) {
        settings.logFormat.bootstrap(level: settings.logLevel)
        logger = Logger(label: label)
        for name in sources.unknownEnvironmentVariables {
            logger.warning("unknown environment variable", metadata: ["name": "\(name)"])
        }
        let metrics = MetricsRegistry()
        MetricsSystem.bootstrap(metrics)
        admin = AdminServer(address: settings.adminListen, metrics: metrics, readiness: readiness, logger: logger)
    }

    /// Runs services beside the admin endpoint, which is the last to stop.
    ///
    /// - Parameters:
    ///   - services: in the order of their start; they stop one after the other, the last first.
    ///   - drainLimit: how long they take to stop at most; they are cancelled some seconds later.
    ///   - waitsFor: what it finishes before, in words for the log; asked for when it is told to stop.
    ///   - onReload: what SIGHUP does; nil where there is nothing to read again.
    package func runner(
        of services: [any Service], drainLimit: Duration = .seconds(7),
        waitsFor: @escaping @Sendable () -> String = { "" }, onReload: (@Sendable () -> Void)? = nil
    ) -> ServiceRunner {
        ServiceRunner(
            services: [admin] + services, readiness: readiness, logger: logger, drainLimit: drainLimit,
            waitsFor: waitsFor, onReload: onReload)
    }
}
