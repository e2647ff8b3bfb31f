import CoreMetrics

/// What transcoding counts; `docs/operations.md` says what each means.
struct TranscodeMetrics: Sendable {
    let decodedFrames = Counter(label: "headwater.ingest.frames.decoded")
    let undecodable = Counter(label: "headwater.ingest.access.units.undecodable")
    let skippedPackets = Counter(label: "headwater.ingest.access.units.skipped")
    let failedRenditions = Counter(label: "headwater.ingest.renditions.failed")

    /// `rendition` is a name of the configuration.
    static func encodedFrames(rendition: String) -> Counter {
        Counter(label: "headwater.ingest.frames.encoded", dimensions: [("rendition", rendition)])
    }

    static func droppedFrames(rendition: String) -> Counter {
        Counter(label: "headwater.ingest.frames.dropped", dimensions: [("rendition", rendition)])
    }
}
