import FoundationEssentials
import Testing

/// Follows a live media playlist from its first segment to its end, as a player with patience would.
struct Follower: Sendable {
    /// The segments in their order, each whole.
    private(set) var segments: [(uri: String, bytes: [UInt8])] = []
    /// Every version of the playlist that was seen.
    private(set) var versions: [String] = []

    init(segments: [(uri: String, bytes: [UInt8])] = [], versions: [String] = []) {
        self.segments = segments
        self.versions = versions
    }

    var bytes: [UInt8] { segments.flatMap(\.bytes) }

    /// Reads until the playlist ends, or so many segments. Segments that are announced are asked for at once and come as
    /// they are produced.
    mutating func follow(_ playlist: String, limit: Int? = nil) async throws {
        let folder = playlist[...(try #require(playlist.lastIndex(of: "/")))]
        // As long as it goes on without another segment.
        let patience = Duration.seconds(60)
        var giveUp = ContinuousClock.now + patience
        var last: String?
        var hasNews = true
        // Of a segment the playlist tells the duration once the next has begun: one more is read, and left out.
        while limit.map({ segments.count <= $0 }) ?? true {
            if !hasNews { try await Task.sleep(for: .milliseconds(50)) }
            hasNews = false
            guard ContinuousClock.now < giveUp else {
                throw FFmpeg.Failure(description: "nothing comes behind \(last ?? "the beginning") of \(playlist)")
            }
            let response = try await Curl.get(playlist)
            if [404, 429].contains(response.status), versions.isEmpty { continue }
            guard response.status == 200 else { throw FFmpeg.Failure(description: "playlist: \(response.status)") }
            if versions.last != response.text { versions.append(response.text) }
            let uris = response.text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
            let hasEnded = response.text.contains("#EXT-X-ENDLIST")
            let next = last.flatMap { uris.firstIndex(of: $0) }.map { $0 + 1 } ?? 0
            if let last, !uris.contains(last) {
                throw FFmpeg.Failure(description: "\(last) has left the playlist before it was read")
            }
            guard next < uris.count else {
                if hasEnded { return }
                continue
            }
            let segment = try await Curl.get(folder + uris[next])
            if segment.status == 200, segment.exitCode == 0 {
                segments.append((uris[next], segment.body))
                last = uris[next]
                giveUp = ContinuousClock.now + patience
                hasNews = true
            } else if hasEnded {
                throw FFmpeg.Failure(
                    description: "\(uris[next]) cannot be read: \(segment.status), \(segment.exitCode)")
            }
        }
        versions.append(try await Curl.get(playlist).text)
        segments.removeLast()
    }
}

extension Follower {
    func write(to path: String) async throws {
        try Data(bytes).write(to: URL(filePath: path))
    }
}
