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

    package func runner(of service: any Service) -> ServiceRunner {
        ServiceRunner(services: [admin, service], readiness: readiness, logger: logger)
    }
}
