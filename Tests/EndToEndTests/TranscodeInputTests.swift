import Subprocess
import SystemPackage
import Testing

extension TranscodeTests {
    /// One ingest reads them all at once: as listener over SRT, UDP and TCP, a file, and its standard input.
    @Test func `whatever libavformat opens goes through the same ladder`() async throws {
        let source = MediaSource(testDescription: "a transport stream", seconds: 6)
        try await withTemporaryFolder { folder in
            let file = "\(folder)/source.ts"
            try await source.make(file)
            let (ladders, metrics) = try await captureInTime { try await captureInputs(of: file, in: folder) }
            try await check(ladders, metrics, source)
        }
    }

    /// The streams, and how many segments are read of the one that does not end.
    private static let streams: [(name: String, limit: Int?)] = [
        ("srt", nil), ("udp", 4), ("tcp", nil), ("file", nil), ("stdin", nil),
    ]

    private func captureInputs(
        of file: String, in folder: String
    ) async throws -> ([String: LadderCapture], Metrics) {
        let ports = (srt: try await FreePort.udp(), udp: try await FreePort.udp(), tcp: try await FreePort.tcp())
        let inputs = [
            "srt://127.0.0.1:\(ports.srt)?mode=listener=live/srt", "udp://127.0.0.1:\(ports.udp)=live/udp",
            "tcp://127.0.0.1:\(ports.tcp)?listen=1=live/tcp", "\(file)=live/file", "pipe:0=live/stdin",
        ]
        let flags = Self.flags("source", "name=low,size=320x180,video-bitrate=400k,preset=ultrafast")
        let pipe = try FileDescriptor.pipe()
        let ingestFlags = flags + inputs.flatMap { ["--input", $0] }
        return try await withServices(ingest: ingestFlags, ingestInput: pipe.readEnd) { services in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for url in ["srt://127.0.0.1:\(ports.srt)", "tcp://127.0.0.1:\(ports.tcp)"] {
                    group.addTask { try await FFmpeg.send(file, to: url) }
                }
                group.addTask { try await FFmpeg.send(file, to: pipe.writeEnd) }
                group.addTask {
                    // Nobody is told that a datagram went nowhere: it goes on until the stream is read.
                    while !Task.isCancelled {
                        _ = try? await FFmpeg.send(file, to: "udp://127.0.0.1:\(ports.udp)?pkt_size=1316")
                    }
                }
                let ladders = try await capture(services, in: folder)
                let metrics = try await Metrics(at: services.ingestMetrics)
                group.cancelAll()
                while let result = await group.nextResult() {
                    if case .failure(let error) = result, !(error is CancellationError) { throw error }
                }
                return (ladders, metrics)
            }
        }
    }

    private func capture(_ services: Services, in folder: String) async throws -> [String: LadderCapture] {
        try await withThrowingTaskGroup(of: (String, LadderCapture).self) { group in
            for (stream, limit) in Self.streams {
                group.addTask {
                    let names = ["source", "low"]
                    return (
                        stream,
                        try await services.capture("live/\(stream)", names, segments: limit, in: folder)
                    )
                }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    private func check(_ ladders: [String: LadderCapture], _ metrics: Metrics, _ source: MediaSource) async throws {
        var missing = 0
        for (stream, limit) in Self.streams {
            let ladder = try #require(ladders[stream])
            // What a datagram that got lost leaves behind is counted.
            let damaged = metrics["headwater_ingest_inputs_packets_damaged_total{scheme=\"\(stream)\"}"] ?? 0
            let problems = try await ladder.problems().filter { damaged == 0 || !$0.contains("does not decode") }
            #expect(problems == [], "\(stream)")
            let sent = try ladder["source"].pictureTimes
            let low = try ladder["low"].pictureTimes
            // What is on its way in datagrams when the sender closes may be lost.
            let isReliable = limit == nil && stream != "srt"
            #expect(sent.count >= (isReliable ? source.seconds * 30 : 90), "\(stream)")
            #expect(Set(low).isSubset(of: sent), "\(stream)")
            missing += sent.count - low.count
            guard isReliable || damaged == 0 else { continue }
            let measured = try await FlashAndBeep(try ladder["low"].path)
            #expect(measured.offsets.count >= (limit ?? source.seconds) - 2, "\(stream)")
            #expect(measured.largestOffset < 20, "\(stream): \(measured.offsets)")
        }
        #expect(missing <= metrics.missedPictures(of: "low"))
    }
}

extension FFmpeg {
    struct NobodyListens: Error {}

    private static func sending(_ path: String, to url: String) -> [String] {
        ["-re", "-i", path, "-c", "copy", "-f", "mpegts", url]
    }

    /// Sends a transport stream at media speed, as soon as somebody takes it.
    static func send(_ path: String, to url: String) async throws {
        try await withDeadline(.seconds(40), or: NobodyListens()) {
            while true {
                do {
                    _ = try await run(sending(path, to: url))
                    return
                } catch is Failure {
                    try Task.checkCancellation()
                }
            }
        }
    }

    /// The same into a pipe, whose end here is closed.
    static func send(_ path: String, to pipe: FileDescriptor) async throws {
        let result = try await Subprocess.run(
            .name("ffmpeg"), arguments: Arguments(["-v", "error", "-nostdin"] + sending(path, to: "pipe:1")),
            output: .fileDescriptor(pipe, closeAfterSpawningProcess: true), error: .string(limit: 1 << 20))
        guard result.terminationStatus == .exited(0) else { throw Failure(description: result.standardError) }
    }
}
