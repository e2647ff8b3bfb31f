import Glibc
import Logging
import Synchronization
import Transcode
import Upload

/// What all connections and broadcasts of an ingest share.
final class IngestContext: Sendable {
    let configuration: IngestConfiguration
    let uploader: Uploader
    let metrics = IngestMetrics()
    let transcodeThreads = TranscodeThreads()
    /// That a broadcast's ladder takes.
    var threadsForLadder: Int { Ladder.threads(for: configuration.renditions) }
    let publishers = LiveCount()
    let connections = LiveCount()
    /// Connections at once: as configured, and no more than half of what the process may open; uploads need the rest.
    let connectionsLimit: Int
    /// The largest media sequence number any broadcast has used.
    private let highestNumber = Mutex(-1)
    let logger: Logger

    init(configuration: IngestConfiguration, uploader: Uploader, logger: Logger) {
        self.configuration = configuration
        var files = rlimit()
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
        connectionsLimit = min(configuration.connectionsLimit, max(16, Int(clamping: files.rlim_cur / 2)))
        self.uploader = uploader
        self.logger = logger
    }

    /// The number a broadcast begins with: above all that were used, and no lower than the clock's.
    func firstNumber(atLeast number: Int) -> Int { highestNumber.withLock { max(number, $0 + 1) } }

    func used(_ number: Int) { highestNumber.withLock { $0 = max($0, number) } }

    /// Milliseconds since 1970.
    static var unixMilliseconds: UInt64 { UInt64(max(0, WallClock.milliseconds)) }
}
