import NIOCore
import NIOEmbedded
import OriginStore

/// Publishers of segments of one second in 1080p and 480p, each with a window of six and three announced, and one viewer
/// each, on a clock of their own.
struct SimulatedStreams {
    struct Rendition {
        let folder: String
        let segmentBytes: Int
        let chunkCount: Int
    }

    let setup: StoreSetup
    private let loop = EmbeddedEventLoop()
    private let renditions: [Rendition]
    /// What all chunks are slices of.
    private let source: ByteBuffer
    private(set) var second = 0
    private(set) var readBytes = 0

    init(_ setup: StoreSetup, streamCount: Int) {
        self.setup = setup
        renditions = (0..<streamCount).flatMap { stream in
            [
                Rendition(folder: "/live/\(stream)/1080p", segmentBytes: 375_000, chunkCount: 60),
                Rendition(folder: "/live/\(stream)/480p", segmentBytes: 125_000, chunkCount: 20),
            ]
        }
        source = ByteBuffer(repeating: 0x47, count: 1 << 16)
    }

    /// The segments' length in this second, about the same on the average: no two are equal in an encoder's output.
    private func segmentBytes(_ rendition: Rendition, _ index: Int) -> Int {
        rendition.segmentBytes + (second * 37 + index * 101) % 200 * rendition.segmentBytes / 1_000
            - rendition.segmentBytes / 10
    }

    /// One second of all streams. Every thousandth segment breaks off and is never taken up again.
    mutating func advance() throws {
        let now = NIODeadline.at(Int64(second))
        for (index, rendition) in renditions.enumerated() {
            var upload = try setup.open("\(rendition.folder)/\(second).ts", epoch: 1, at: now)
            let viewer = setup.reader(of: "\(rendition.folder)/\(second).ts", on: loop, keepsText: false)
            var rest = segmentBytes(rendition, index)
            let chunkBytes = rest / rendition.chunkCount + 1
            while rest > 0 {
                let piece = source.getSlice(at: 0, length: min(chunkBytes, rest)) ?? ByteBuffer()
                try setup.store.append(piece, to: &upload, now: now)
                rest -= piece.readableBytes
                loop.run()
            }
            if (second + index) % 1_000 == 999 {
                setup.store.breakOff(upload, now: now)
                viewer?.leave()
            } else {
                try setup.finish(upload, at: now)
            }
            loop.run()
            readBytes += viewer?.byteCount ?? 0
            try setup.putPlaylist(
                "\(rendition.folder)/source.m3u8", (max(0, second - 5)...second).map { "\($0).ts" },
                announcing: (1...3).map { "\(second + $0).ts" }, epoch: 1, at: now)
        }
        if second % 60 == 0 {
            for stream in 0..<renditions.count / 2 {
                try setup.put(
                    "/live/\(stream)/playlist.m3u8",
                    "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=3000000\n1080p/source.m3u8\n", epoch: 1, at: now)
            }
        }
        _ = setup.store.timePassed(now: now)
        second += 1
    }
}
