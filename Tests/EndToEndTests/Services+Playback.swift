extension Services {
    /// Waits until a stream can be played.
    func waitForPlaylist(_ stream: String) async throws {
        let url = "\(http)/\(stream)/playlist.m3u8"
        try await poll(for: url) { try await Curl.get(url).status == 200 ? () : nil }
    }

    /// Plays a stream with ffmpeg from its first segment to its end; gives how many video packets that were.
    func readPackets(_ stream: String) async throws -> Int {
        _ = try await ingestLog.line(with: "broadcast started broadcast.id")
        try await waitForPlaylist(stream)
        let packets = try await FFmpeg.run(
            [
                "-live_start_index", "0", "-i", "\(http)/\(stream)/playlist.m3u8", "-map", "0:v", "-c", "copy",
                "-f", "framecrc", "-",
            ], within: .seconds(240)
        ).output
        return packets.split(separator: "\n").count { !$0.hasPrefix("#") }
    }

    /// What ffprobe says of a live stream's tracks.
    func probe(_ stream: String) async throws -> String {
        try await FFmpeg.run(
            "ffprobe",
            [
                "-v", "error", "-show_entries", "stream=codec_name,width,height", "-of", "csv=p=0",
                "\(http)/\(stream)/playlist.m3u8",
            ])
    }

    /// A counter or gauge, 0 where it has not been made yet.
    func metric(_ name: String, at address: String) async throws -> Double {
        let text = try await Curl.get("\(address)/metrics").text
        let line = text.split(separator: "\n").first { $0.hasPrefix(name) && !$0.hasPrefix("#") }
        return line.flatMap { Double($0.split(separator: " ").last ?? "") } ?? 0
    }
}
