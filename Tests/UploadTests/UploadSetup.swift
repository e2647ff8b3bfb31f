import Logging
import NIOCore
import NIOHTTP1

import Upload

/// An uploader with counters, and short names for what tests do with it.
struct UploadSetup {
    let metrics = CountedMetrics()
    let uploader: Uploader

    init(_ destinations: String..., configure: (inout Uploader.Configuration) -> Void = { _ in }) throws {
        var configuration = Uploader.Configuration()
        configuration.firstRetryDelay = .milliseconds(20)
        configuration.longestRetryDelay = .milliseconds(100)
        configure(&configuration)
        uploader = try Uploader(
            destinations: try destinations.map { try Destination(parsing: $0) }, configuration: configuration,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), metrics: metrics)
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

/// Bytes that differ from place to place.
func pattern(_ count: Int, from start: Int = 0) -> [UInt8] {
    (start..<start + count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
}

func accept(_: Int, _: HTTPRequestHead) -> Origin.Answer { .atEnd(.created) }
