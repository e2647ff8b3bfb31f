import FoundationEssentials
import Testing

/// What players of all renditions of one broadcast were given, from its beginning to its end.
struct LadderCapture: Sendable {
    struct Rendition: Sendable {
        var name: String
        var follower: Follower
        /// All its segments in one file.
        var path: String

        /// The bytes from one discontinuity to the next, for each of which players begin anew.
        var timelines: [[UInt8]] {
            follower.ladderSegments.reduce(into: []) { timelines, segment in
                if timelines.isEmpty || segment.isDiscontinuous { timelines.append([]) }
                timelines[timelines.count - 1] += segment.stream.packets.flatMap(\.bytes)
            }
        }

        /// A file of each of them, written by ``LadderCapture/problems()``.
        var timelinePaths: [String] { timelines.indices.map { "\(path)-\($0).ts" } }

        var pictureTimes: [Int64] { TransportStream(follower.bytes).pictureTimes }
        var soundTimes: [Int64] {
            TransportStream(follower.bytes).units.filter { !$0.isVideo }.map(\.presentationTime)
        }
    }

    /// In the order they were asked for.
    let renditions: [Rendition]
    /// The multivariant playlist, as it was last.
    let multivariant: String

    subscript(_ name: String) -> Rendition {
        get throws { try #require(renditions.first { $0.name == name }, "there is no rendition \(name)") }
    }

    /// What is wrong with them for a player that changes between them, and for a strict decoder.
    func problems() async throws -> [String] {
        var problems = LadderCheck(
            renditions: renditions.map { ($0.name, $0.follower.ladderSegments) }
        ).problems()
        for rendition in renditions {
            for (index, (timeline, path)) in zip(rendition.timelines, rendition.timelinePaths).enumerated() {
                try Data(timeline).write(to: URL(filePath: path))
                let errors = try await FFmpeg.decodingErrors(path)
                problems += errors.map { "\(rendition.name), timeline \(index): \($0)" }
            }
        }
        return problems
    }
}

extension Services {
    /// Reads all renditions of a stream, each from its first segment; to its end, or so many segments.
    func capture(
        _ stream: String, _ names: [String], segments limit: Int? = nil, in folder: String
    ) async throws -> LadderCapture {
        let renditions = try await withThrowingTaskGroup(of: LadderCapture.Rendition.self) { group in
            for name in names {
                group.addTask {
                    var follower = Follower()
                    try await follower.follow("\(http)/\(stream)/\(name).m3u8", limit: limit)
                    let path = "\(folder)/\(stream.split(separator: "/").joined(separator: "-"))-\(name).ts"
                    try await follower.write(to: path)
                    return LadderCapture.Rendition(name: name, follower: follower, path: path)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let sorted = names.compactMap { name in renditions.first { $0.name == name } }
        let multivariant = try await Curl.get("\(http)/\(stream)/playlist.m3u8").text
        return LadderCapture(renditions: sorted, multivariant: multivariant)
    }

    /// Publishes a file at media speed and reads all renditions back while that goes on.
    func publishAndCapture(
        _ file: String, _ stream: String, _ names: [String], in folder: String
    ) async throws -> LadderCapture {
        async let publishing: Void = FFmpeg.publish(file, to: "\(rtmp)/\(stream)")
        let captured = try await capture(stream, names, in: folder)
        try await publishing
        return captured
    }
}

/// Captures up to three times, each in fresh services, until the ingest says that all went through it in time and nothing
/// is missing. Gives the last capture, and what the ingest had counted by then.
func captureInTime<Captured: Sendable>(
    isWhole: (Captured) throws -> Bool = { _ in true },
    _ capture: () async throws -> (Captured, Metrics)
) async throws -> (Captured, Metrics) {
    for _ in 0..<2 {
        let (captured, metrics) = try await capture()
        if try !metrics.tellsOfLateness && isWhole(captured) { return (captured, metrics) }
    }
    return try await capture()
}

extension Metrics {
    private static let skipped: Substring = "headwater_ingest_access_units_skipped_total"
    private static let dropped: Substring = "headwater_ingest_frames_dropped_total"

    /// Whether anything came too late to be decoded or encoded, or the test picture too late altogether.
    fileprivate var tellsOfLateness: Bool {
        let stalled: Substring = #"headwater_ingest_inputs_failures_total{reason="stalled"}"#
        return [Self.skipped, Self.dropped, stalled].contains { self[$0] ?? 0 > 0 }
    }

    /// Pictures that did not reach the encoders of these renditions in time, over all streams.
    func missedPictures(of renditions: String...) -> Int {
        let skipped = self[Self.skipped] ?? 0
        return renditions.reduce(0) { $0 + Int(skipped + (self["\(Self.dropped){rendition=\"\($1)\"}"] ?? 0)) }
    }
}

extension FFmpeg {
    /// What a decoder that forgives nothing says of a file; empty when there is nothing to say.
    static func decodingErrors(_ path: String) async throws -> [String] {
        do {
            let messages = try await run(
                ["-v", "error", "-xerror", "-err_detect", "explode", "-i", path, "-f", "null", "-"]
            ).messages
            return messages.split(separator: "\n").map(String.init)
        } catch let failure as Failure {
            return ["does not decode: \(failure.description.prefix(500))"]
        }
    }

    /// What ffprobe prints of a file: one line for each stream or frame.
    static func probe(_ path: String, _ options: [String]) async throws -> [String] {
        let result = try await run(
            "ffprobe", ["-v", "error"] + options + ["-of", "csv=p=0", path])
        return result.split(separator: "\n").map { String($0.drop { $0 == "," }) }
    }
}
