import CoreMetrics
import Foundation
import Logging
import NIOCore
import OriginPersistence
import OriginStore
import Synchronization

/// A folder that is gone when the body has ended.
func withTemporaryFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "headwater-\(UUID().uuidString)").path()
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
}

/// The key of a path that the test wrote itself.
func key(_ path: String) -> ObjectKey {
    guard let key = try? ObjectKey(requestTarget: path) else { fatalError("\(path) is no object's path") }
    return key
}

func object(_ path: String, _ body: String, version: Int = 1, epoch: UInt64? = nil) -> StoredObject {
    object(path, ByteBuffer(string: body), version: version, epoch: epoch)
}

func object(_ path: String, _ body: ByteBuffer, version: Int = 1, epoch: UInt64? = nil) -> StoredObject {
    StoredObject(
        key: key(path),
        head: ObjectHead(
            contentType: "video/mp2t", cacheControl: nil, entityTag: "\"\(version)\"",
            lastModified: 1_700_000_000 + version),
        body: .bytes(body), epoch: epoch)
}

/// A data directory with what it logs and counts.
struct Kept {
    let directory: DataDirectory
    let log: RecordedLog
    let metrics: RecordedMetrics

    init(_ path: String, _ configure: (inout DataDirectoryConfiguration) -> Void = { _ in }) throws {
        var configuration = DataDirectoryConfiguration(path: path)
        // What waits when a test ends is written, however busy the host is.
        configuration.stopLimit = .minutes(1)
        configure(&configuration)
        log = RecordedLog()
        metrics = RecordedMetrics()
        directory = try DataDirectory(configuration, logger: log.logger, metrics: metrics)
    }

    func load(limitBytes: Int = 1 << 30) -> [StoredObject] {
        directory.load(limitBytes: limitBytes) { found, read in found.compactMap { read($0, .memory) } }
    }

    /// Runs the directory for as long as the body takes, and then until it has written what waits.
    func run<Result: Sendable>(_ body: @Sendable () async throws -> Result) async throws -> Result {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await directory.run() }
            let result: Result
            do {
                result = try await body()
            } catch {
                group.cancelAll()
                throw error
            }
            group.cancelAll()
            try await group.waitForAll()
            return result
        }
    }
}

/// What the next start finds in a folder.
func loaded(_ path: String) throws -> [StoredObject] { try Kept(path).load() }

extension [StoredObject] {
    /// Bodies by path.
    var texts: [String: String] {
        reduce(into: [:]) { $0[$1.key.path] = $1.body.wholeBytes.map { String(buffer: $0) } }
    }
}

/// The path of the one object's file in a data directory.
func onlyFile(in folder: String) throws -> String {
    let files = try objectFiles(in: folder)
    guard files.count == 1 else { fatalError("there are \(files.count) files") }
    return files[0]
}

/// The paths of all objects' files, written to the end or not.
func objectFiles(in folder: String) throws -> [String] {
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder)
    return names.filter { $0.hasSuffix(".object") || $0.hasSuffix(".part") }.map { "\(folder)/\($0)" }
}

/// Counters and gauges, by what stands behind `headwater.origin.data.` in their name, with their reason.
final class RecordedMetrics: MetricsFactory {
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    private struct State {
        var values: [String: Int64] = [:]
        var waiters: [(name: String, value: Int64, reached: AsyncStream<Void>.Continuation)] = []
    }

    private final class Series: CounterHandler, RecorderHandler, MeterHandler {
        let name: String
        let metrics: RecordedMetrics

        init(name: String, metrics: RecordedMetrics) {
            self.name = name
            self.metrics = metrics
        }

        func increment(by amount: Int64) { metrics.update(name) { $0 += amount } }
        func reset() {}
        func record(_ value: Int64) { metrics.update(name) { $0 = value } }
        func record(_ value: Double) { record(Int64(value)) }
        func set(_ value: Int64) { record(value) }
        func set(_ value: Double) { record(Int64(value)) }
        func increment(by amount: Double) { increment(by: Int64(amount)) }
        func decrement(by amount: Double) { increment(by: Int64(-amount)) }
    }

    private let state = Mutex(State())

    subscript(name: String) -> Int64 { state.withLock { $0.values[name] ?? 0 } }

    /// Waits until a value is this, at any moment from now on; throws when half a minute is over.
    func wait(for name: String, _ value: Int64) async throws {
        let (moments, reached) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        state.withLock { state in
            if state.values[name] == value { reached.yield() }
            state.waiters.append((name, value, reached))
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in moments { return }
                throw CancellationError()
            }
            group.addTask {
                try await Task.sleep(for: .seconds(30))
                throw Missing(description: "\(name) did not become \(value); it is \(self[name])")
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func update(_ name: String, _ change: (inout Int64) -> Void) {
        state.withLock { state in
            change(&state.values[name, default: 0])
            for waiter in state.waiters where state.values[waiter.name] == waiter.value { waiter.reached.yield() }
        }
    }

    private func series(_ label: String, _ dimensions: [(String, String)]) -> Series {
        let name = label.replacingOccurrences(of: "headwater.origin.data.", with: "")
        return Series(name: ([name] + dimensions.map(\.1)).joined(separator: "/"), metrics: self)
    }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler { series(label, dimensions) }
    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler { series(label, dimensions) }
    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        series(label, dimensions)
    }
    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { NOOPMetricsHandler.instance }
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyMeter(_ handler: any MeterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}
}

/// Lines of info and above, as `level message`.
final class RecordedLog: Sendable {
    private struct Handler: LogHandler {
        let log: RecordedLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            log.state.withLock { $0.append("\(event.level) \(event.message)") }
        }
    }

    private let state = Mutex<[String]>([])

    var lines: [String] { state.withLock { $0 } }

    var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

    func count(_ text: String) -> Int { lines.count { $0.contains(text) } }
}
