import Logging
import NIOCore
import NIOHTTP1

import Upload

/// An uploader with counters, and short names for what tests do with it.
struct UploadSetup {
    let metrics = CountedMetrics()
    let uploader: Uploader
    /// What it logs, from info up.
    let log = Journal<String>()

    init(_ destinations: String..., configure: (inout Uploader.Configuration) -> Void = { _ in }) throws {
        try self.init(try destinations.map { try Destination(parsing: $0) }, configure: configure)
    }

    init(_ destinations: [Destination], configure: (inout Uploader.Configuration) -> Void = { _ in }) throws {
        var configuration = Uploader.Configuration()
        // Neither is to run out on a busy host.
        configuration.connectTimeout = .seconds(30)
        configuration.responseTimeout = .seconds(30)
        configuration.firstRetryDelay = .milliseconds(20)
        configuration.longestRetryDelay = .milliseconds(100)
        configure(&configuration)
        uploader = try Uploader(
            destinations: destinations, configuration: configuration,
            logger: Logger(label: "test") { [log] _ in JournalLogHandler(log) }, metrics: metrics)
    }

    func open(_ path: String, epoch: PublishEpoch = PublishEpoch(7)) -> GrowingBody {
        uploader.open(path: path, contentType: "video/mp2t", epoch: epoch)
    }

    func put(_ path: String, _ text: String, epoch: PublishEpoch = PublishEpoch(7)) {
        uploader.put(
            path: path, contentType: "application/vnd.apple.mpegurl", epoch: epoch, body: ByteBuffer(string: text))
    }

    func end() async { await uploader.shutdown(within: .zero) }
}

/// Records each line as its level, message and fields.
private struct JournalLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info
    private let journal: Journal<String>

    init(_ journal: Journal<String>) { self.journal = journal }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let texts = ["\(event.level) \(event.message)"] + fields.map { "\($0.key)=\($0.value)" }
        journal.record(texts.joined(separator: " "))
    }
}

extension Destination {
    /// An origin, with its access.
    static func origin(_ url: String, _ set: (inout OriginAccess) -> Void = { _ in }) throws -> Destination {
        guard case .http(let base, var access) = try Destination(parsing: url) else { throw UploadError.missingHost }
        set(&access)
        return .http(base, access)
    }
}

/// Bytes that differ from place to place.
func pattern(_ count: Int, from start: Int = 0) -> [UInt8] {
    (start..<start + count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
}

func accept(_: Int, _: HTTPRequestHead) -> Origin.Answer { .atEnd(.created) }
