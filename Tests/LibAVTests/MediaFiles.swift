import Foundation

/// A folder for files of the `ffmpeg` command, gone with it.
final class MediaFiles {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "headwater-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    /// Has ffmpeg make two seconds of picture, 320 by 180 at 30, and sound, 44.1 kHz; gives the file's path.
    func make(_ name: String, _ arguments: String, size: String = "320x180") throws -> String {
        let path = path(name)
        let inputs =
            "-f lavfi -i testsrc2=size=\(size):rate=30:duration=2 -f lavfi -i sine=frequency=440:sample_rate=44100:duration=2"
        _ = try Self.run("ffmpeg", "-v error -y \(inputs) \(arguments) \(path)")
        return path
    }

    /// Puts a file's streams into another container as they are.
    func remux(_ path: String, _ name: String) throws -> String {
        _ = try Self.run("ffmpeg", "-v error -y -i \(path) -c copy \(self.path(name))")
        return self.path(name)
    }

    func join(_ paths: [String], _ name: String) throws {
        var bytes = Data()
        for path in paths { bytes += try Data(contentsOf: URL(filePath: path)) }
        try bytes.write(to: folder.appending(path: name))
    }

    /// Leaves out the first packets of a transport stream.
    func cut(_ path: String, to name: String, droppingPackets count: Int) throws {
        let bytes = try Data(contentsOf: URL(filePath: path))
        try bytes.dropFirst(188 * count).write(to: folder.appending(path: name))
    }

    /// Leaves out one of a stream's packets, the first in the latter half of a transport stream.
    func damage(_ path: String, to name: String, inStream identifier: UInt16) throws {
        let packets = try Self.transportPackets(path)
        let lost = packets.indices.dropFirst(packets.count / 2).first { packets[$0].identifier == identifier }
        let kept = packets.indices.filter { $0 != lost }.flatMap { packets[$0].bytes }
        try Data(kept).write(to: folder.appending(path: name))
    }

    /// One packet of a transport stream (`ISO/IEC 13818-1 §2.4.3.2`).
    struct TransportPacket {
        var bytes: [UInt8]
        var beginsUnit: Bool { bytes[1] & 0x40 != 0 }
        var identifier: UInt16 { UInt16(bytes[1] & 0x1F) << 8 | UInt16(bytes[2]) }
    }

    static func transportPackets(_ path: String) throws -> [TransportPacket] {
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        return stride(from: 0, to: bytes.count, by: 188).map { TransportPacket(bytes: Array(bytes[$0..<$0 + 188])) }
    }

    func makeFIFO(_ name: String) throws {
        _ = try Self.run("mkfifo", path(name))
    }

    func copy(_ path: String, intoFIFO name: String) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["timeout", "60", "sh", "-c", "cat \(path) > \(self.path(name))"]
        try process.run()
        return process
    }

    struct ProbedPacket: Equatable {
        /// In ticks of 90 kHz; nil where the container does not tell.
        var decodeTime: Int64?
        var presentationTime: Int64?
        var isKeyframe: Bool
    }

    /// The packets of a file's first stream of a kind, `v` or `a`, as ffprobe tells them.
    static func probe(_ path: String, _ kind: String) throws -> [ProbedPacket] {
        let text = try run(
            "ffprobe",
            "-v error -fflags +genpts -select_streams \(kind):0 -show_entries packet=pts_time,dts_time,flags -of csv=p=0 \(path)"
        )
        return try text.split(whereSeparator: \.isNewline).map { line in
            let fields = line.split(separator: ",", omittingEmptySubsequences: false)
            guard fields.count >= 3 else { throw UnreadableProbe(line: String(line)) }
            func ticks(_ seconds: Substring) -> Int64? { Double(seconds).map { Int64(($0 * 90_000).rounded()) } }
            return ProbedPacket(
                decodeTime: ticks(fields[1]), presentationTime: ticks(fields[0]),
                isKeyframe: fields[2].hasPrefix("K"))
        }
    }

    struct UnreadableProbe: Error { var line: String }
    struct CommandFailed: Error { var command: String; var status: Int32 }

    private static func run(_ command: String, _ arguments: String) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["timeout", "60", command] + arguments.split(separator: " ").map(String.init)
        let output = Pipe()
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw CommandFailed(command: command, status: process.terminationStatus)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
