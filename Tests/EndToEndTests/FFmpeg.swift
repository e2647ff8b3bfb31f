import FoundationEssentials
import Subprocess
import Testing

/// The ffmpeg command, as encoder, publisher and player.
enum FFmpeg {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Runs it to its end; gives its standard output, and its messages at `warning` and above.
    @discardableResult
    static func run(
        _ arguments: [String], within limit: Duration = .seconds(120)
    ) async throws -> (output: String, messages: String) {
        try await withDeadline(limit, or: NotSo(description: "it has not ended: ffmpeg \(arguments)")) {
            let result = try await Subprocess.run(
                .name("ffmpeg"), arguments: Arguments(["-hide_banner", "-nostdin", "-y", "-v", "warning"] + arguments),
                output: .string(limit: 1 << 26), error: .string(limit: 1 << 22))
            let messages = result.standardError
            guard result.terminationStatus == .exited(0) else { throw Failure(description: messages) }
            return (output: result.standardOutput, messages: messages)
        }
    }

    /// Runs another command of the same house to its end; gives its standard output.
    static func run(_ command: String, _ arguments: [String]) async throws -> String {
        try await withDeadline(.seconds(120), or: NotSo(description: "it has not ended: \(command) \(arguments)")) {
            let result = try await Subprocess.run(
                .name(command), arguments: Arguments(arguments), output: .string(limit: 1 << 26),
                error: .string(limit: 1 << 22))
            guard result.terminationStatus == .exited(0) else { throw Failure(description: result.standardError) }
            return result.standardOutput
        }
    }

    /// Makes an FLV file of a moving picture and a tone; either can be left out.
    static func makeSource(
        _ path: String, seconds: Int, video: [String]? = ["-g", "30", "-bf", "0"], hasAudio: Bool = true
    ) async throws {
        var arguments: [String] = []
        if video != nil { arguments += ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30"] }
        if hasAudio { arguments += ["-f", "lavfi", "-i", "sine=frequency=1000:sample_rate=48000"] }
        arguments += ["-t", "\(seconds)"]
        if let video {
            arguments +=
                ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-sc_threshold", "0"] + video
        }
        if hasAudio { arguments += ["-c:a", "aac", "-b:a", "96k"] }
        try await run(arguments + ["-f", "flv", path])
    }

    /// Publishes a file at media speed.
    static func publish(_ path: String, to url: String, options: [String] = []) async throws {
        try await run(["-re"] + options + ["-i", path, "-c", "copy", "-f", "flv", url])
    }

    /// Publishes at media speed the bytes of a file: how it begins, and what is told once all of that is taken.
    static func publish(
        _ beginning: [UInt8], to url: String, then rest: @escaping @Sendable () async throws -> [UInt8]
    ) async throws {
        try await withDeadline(.seconds(120), or: NotSo(description: "ffmpeg has not published all of it")) {
            let result = try await Subprocess.run(
                .name("ffmpeg"),
                arguments: ["-v", "error", "-nostdin", "-re", "-i", "pipe:0", "-c", "copy", "-f", "flv", url],
                input: .inputWriter, output: .discarded, error: .string(limit: 1 << 20)
            ) { execution in
                _ = try await execution.standardInputWriter.write(beginning)
                _ = try await execution.standardInputWriter.write(rest())
            }
            guard result.terminationStatus == .exited(0) else { throw Failure(description: result.standardError) }
        }
    }

    /// Whether a file could be published to its end.
    static func isPublished(_ path: String, to url: String) async -> Bool {
        do {
            try await publish(path, to: url)
            return true
        } catch {
            return false
        }
    }

    /// The checksums of all decoded frames of a track, in order.
    static func frames(_ path: String, track: String) async throws -> [String] {
        try await run(["-i", path, "-map", "0:\(track)", "-fps_mode", "passthrough", "-f", "framemd5", "-"]).output
            .split(separator: "\n").filter { !$0.hasPrefix("#") }
            .compactMap { $0.split(separator: ",").last.map { String($0).trimmingPrefix(" ").description } }
    }
}

/// A folder for one test's files, removed at its end.
func withTemporaryFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "headwater-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder.path)
}
