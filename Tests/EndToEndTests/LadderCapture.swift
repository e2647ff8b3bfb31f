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
            for (index, timeline) in rendition.timelines.enumerated() {
                let path = "\(rendition.path)-\(index).ts"
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

    /// Pictures that did not reach an encoder in time, over all streams, of all renditions or of one.
    func droppedFrames(of rendition: String? = nil) async throws -> Int {
        let text = try await Curl.get("\(ingestMetrics)/metrics").text
        let lines = text.split(separator: "\n").filter { line in
            line.hasPrefix("headwater_ingest_frames_dropped_total")
                && rendition.map { line.contains("\"\($0)\"") } ?? true
        }
        return lines.compactMap { Double($0.split(separator: " ").last ?? "") }.reduce(0) { $0 + Int($1) }
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
