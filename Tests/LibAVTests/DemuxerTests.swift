import Foundation
import LibAV
import Media
import NIOCore
import Testing

@Suite(.timeLimit(.minutes(2))) struct DemuxerTests {
    /// Everything that comes out of an input.
    struct Contents {
        var formats: [TrackFormat] = []
        var packets: [TrackKind: [MediaPacket]] = [:]
        /// Packets of a track before its first format.
        var unannounced = 0
        var isPlainFile = false
        var damagedPackets = 0

        init(_ url: String, interrupt: Interrupt = Interrupt()) throws {
            var demuxer = try Demuxer(InputAddress(url), interrupt: interrupt)
            isPlainFile = demuxer.isPlainFile
            while let event = try demuxer.read() {
                switch event {
                case .format(let format): formats.append(format)
                case .packet(let packet):
                    if !formats.contains(where: { $0.kind == packet.track }) { unannounced += 1 }
                    packets[packet.track, default: []].append(packet)
                }
            }
            damagedPackets = demuxer.damagedPackets
        }

        var probed: [TrackKind: [MediaFiles.ProbedPacket]] {
            packets.mapValues { packets in
                packets.map {
                    MediaFiles.ProbedPacket(
                        decodeTime: $0.decodeTime.value, presentationTime: $0.presentationTime.value,
                        isKeyframe: $0.isKeyframe)
                }
            }
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var arguments: String
        var video: String?
        var audio: String?

        var testDescription: String { "\(name) \(arguments)" }
    }

    static let x264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 30"

    static let table = [
        Case(name: "a.ts", arguments: "\(x264) -c:a aac", video: "avc1.42c00d", audio: "mp4a.40.2"),
        Case(
            name: "b.ts", arguments: "\(x264) -bf 2 -profile:v main -x264opts cabac -c:a aac -ac 2",
            video: "avc1.4d400d",
            audio: "mp4a.40.2"),
        Case(name: "a.flv", arguments: "\(x264) -c:a aac", video: "avc1.42c00d", audio: "mp4a.40.2"),
        Case(name: "a.mp4", arguments: "\(x264) -bf 2 -c:a aac", video: "avc1.4d400d", audio: "mp4a.40.2"),
        Case(name: "a.mkv", arguments: "\(x264) -c:a mp2", video: "avc1.42c00d", audio: "mp2"),
        Case(
            name: "hevc.ts", arguments: "-c:v libx265 -preset ultrafast -x265-params log-level=none -c:a mp2",
            video: "hevc", audio: "mp2"),
        Case(name: "mpeg2.mpg", arguments: "-c:v mpeg2video -c:a mp2", video: "mpeg2video", audio: "mp2"),
        Case(name: "a.wav", arguments: "-vn -c:a pcm_s16le", audio: "pcm_s16le"),
        Case(name: "a.h264", arguments: "\(x264) -an", video: "avc1.42c00d"),
        Case(name: "a.aac", arguments: "-vn -c:a aac", audio: "mp4a.40.2"),
    ]

    @Test(arguments: table) func `files give the packets ffprobe finds`(_ file: Case) throws {
        let files = try MediaFiles()
        let path = try files.make(file.name, file.arguments)
        let contents = try Contents(path)
        #expect(contents.isPlainFile)
        #expect(contents.unannounced == 0)
        #expect(Set(contents.formats.map(\.codecs)) == Set([file.video, file.audio].compactMap { $0 }))
        #expect(contents.formats.count == (file.video == nil || file.audio == nil ? 1 : 2))
        for (kind, name, isThere) in [(TrackKind.video, "v", file.video != nil), (.audio, "a", file.audio != nil)] {
            guard isThere else { continue }
            var expected = try MediaFiles.probe(path, name)
            if kind == .audio { expected = expected.map { Self.asKeyframe($0) } }
            let found = contents.probed[kind] ?? []
            #expect(found.count == expected.count)
            let differing = zip(found, expected).filter { pair in
                !Self.isNear(pair.0.decodeTime, pair.1.decodeTime)
                    || !Self.isNear(pair.0.presentationTime, pair.1.presentationTime)
                    || pair.0.isKeyframe != pair.1.isKeyframe
            }
            #expect(differing.isEmpty, "\(differing.prefix(3))")
        }
    }

    /// ffprobe tells microseconds, and nothing where there is nothing to tell.
    static func isNear(_ found: Int64?, _ expected: Int64?) -> Bool {
        guard let found, let expected else { return expected == nil }
        return (found - expected).magnitude <= 1
    }

    @Test func `packets without times follow one another at the frame rate`() throws {
        let files = try MediaFiles()
        let contents = try Contents(try files.make("a.h264", "\(Self.x264) -an"))
        #expect(contents.packets[.video]?.map(\.decodeTime.value) == (0..<60).map { $0 * 3_000 })
    }

    static func asKeyframe(_ packet: MediaFiles.ProbedPacket) -> MediaFiles.ProbedPacket {
        var packet = packet
        packet.isKeyframe = true
        return packet
    }

    @Test func `H.264 and AAC are alike whatever they came in`() throws {
        let files = try MediaFiles()
        let mp4 = try files.make("a.mp4", "\(Self.x264) -c:a aac")
        var perContainer: [[TrackKind: [ByteBuffer]]] = []
        for name in ["a.ts", "a.flv", "a.mp4"] {
            if name != "a.mp4" { _ = try files.remux(mp4, name) }
            let contents = try Contents(files.path(name))
            for format in contents.formats {
                if case .h264(let configuration) = format {
                    #expect(configuration.width == 320)
                    #expect(configuration.nalUnitLengthSize == 4)
                    let areWhole = contents.packets[.video, default: []].allSatisfy { configuration.describes($0.data) }
                    #expect(areWhole)
                }
                if case .aac(let configuration) = format { #expect(configuration.sampleRate == 44_100) }
            }
            perContainer.append(contents.packets.mapValues { $0.map { Self.withoutParameterSets($0.data, $0.track) } })
        }
        #expect(perContainer[0] == perContainer[1])
        #expect(perContainer[0] == perContainer[2])
    }

    /// MPEG-TS repeats the parameter sets before each keyframe.
    static func withoutParameterSets(_ data: ByteBuffer, _ kind: TrackKind) -> ByteBuffer {
        guard kind == .video else { return data }
        var rest = data
        var kept = ByteBuffer()
        while let unit = rest.readLengthPrefixedSlice(as: UInt32.self) {
            if ![7, 8].contains(AnnexB.type(of: unit) ?? 0) {
                kept.writeInteger(UInt32(unit.readableBytes))
                kept.writeImmutableBuffer(unit)
            }
        }
        return kept
    }

    @Test func `a stream that changes its size tells its new format first`() throws {
        let files = try MediaFiles()
        let parts = [
            try files.make("1.ts", "\(Self.x264) -c:a aac"),
            try files.make("2.ts", "\(Self.x264) -c:a aac -output_ts_offset 2", size: "640x360"),
        ]
        try files.join(parts, "both.ts")
        let contents = try Contents(files.path("both.ts"))
        let widths = contents.formats.compactMap { format -> Int? in
            if case .h264(let configuration) = format { configuration.width } else { nil }
        }
        #expect(widths == [320, 640])
        #expect(contents.packets[.video]?.count == 120)
    }

    @Test func `what comes before the first keyframe is left out`() throws {
        let files = try MediaFiles()
        let path = try files.make("a.ts", "\(Self.x264) -c:a aac")
        try files.cut(path, to: "tail.ts", droppingPackets: 40)
        let contents = try Contents(files.path("tail.ts"))
        #expect(contents.formats.count == 2)
        #expect(contents.packets[.video]?.first?.isKeyframe == true)
        #expect(contents.packets[.video]?.count == 30)
    }

    /// The identifier libavformat's muxer gives the first stream of a transport stream.
    static let firstStream: UInt16 = 0x100

    @Test func `a lost packet of a transport stream loses no picture, and is counted`() throws {
        let files = try MediaFiles()
        let path = try files.make("a.ts", "\(Self.x264) -c:a aac")
        #expect(try Contents(path).damagedPackets == 0)
        try files.damage(path, to: "damaged.ts", inStream: Self.firstStream)
        let contents = try Contents(files.path("damaged.ts"))
        #expect(contents.packets[.video]?.count == 60)
        #expect((1...2).contains(contents.damagedPackets))
    }

    @Test func `of datagrams that stop within a picture there are whole pictures alone`() async throws {
        let files = try MediaFiles()
        let path = try files.make("a.ts", "\(Self.x264) -g 10 -an", size: "160x90")
        let whole = try #require(try Contents(path).packets[.video])
        let packets = try MediaFiles.transportPackets(path)
        let pictures = packets.indices.filter {
            packets[$0].identifier == Self.firstStream && packets[$0].beginsUnit
        }
        // Of the last keyframe's packets the first alone.
        let last = try #require(pictures.dropLast(9).last)
        try #require(packets[last + 1].identifier == Self.firstStream && !packets[last + 1].beginsUnit)

        let sender = try await DatagramSender()
        async let received = Self.video("udp://127.0.0.1:\(sender.port)?timeout=5000000")
        try await sender.send(packets[...last])
        let pictureCount = try await received.count
        #expect(try await received == Array(whole.prefix(pictureCount)))
        #expect((49...51).contains(pictureCount))
    }

    /// The pictures of an input whose end is an error.
    @concurrent static func video(_ url: String) async throws -> [MediaPacket] {
        var demuxer = try Demuxer(InputAddress(url), interrupt: Interrupt())
        var packets: [MediaPacket] = []
        while let event = try? demuxer.read() {
            if case .packet(let packet) = event { packets.append(packet) }
        }
        return packets
    }

    @Test func `a file without picture or sound is refused`() throws {
        let files = try MediaFiles()
        try Data("1\n00:00:01,000 --> 00:00:02,000\nHello\n\n".utf8).write(to: files.folder.appending(path: "a.srt"))
        #expect(throws: LibAVError.self) { try Contents(files.path("a.srt")) }
        #expect(throws: LibAVError.self) { try Contents(files.path("none.ts")) }
        try Data(repeating: 0x47, count: 10_000).write(to: files.folder.appending(path: "noise.ts"))
        #expect(throws: LibAVError.self) { try Contents(files.path("noise.ts")) }
    }

    @Test(arguments: ["fifo", "tcp://127.0.0.1:0?listen", "udp://127.0.0.1:0"])
    func `waiting for a peer ends when it is cancelled`(url: String) async throws {
        let files = try MediaFiles()
        try files.makeFIFO("fifo")
        let url = url == "fifo" ? files.path("fifo") : url
        let interrupt = Interrupt()
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { @concurrent in (try? Contents(url, interrupt: interrupt)) == nil }
            group.addTask { @concurrent in
                interrupt.cancel()
                return true
            }
            for await isRefused in group { #expect(isRefused) }
        }
    }

    @Test func `a FIFO gives what its writer sends, until it leaves`() throws {
        let files = try MediaFiles()
        let path = try files.make("a.ts", "\(Self.x264) -c:a aac")
        try files.makeFIFO("fifo")
        let writer = try files.copy(path, intoFIFO: "fifo")
        let contents = try Contents(files.path("fifo"))
        writer.waitUntilExit()
        #expect(!contents.isPlainFile)
        #expect(contents.packets[.video]?.count == 60)
    }

    @Test func `sleeping ends at once when it is cancelled`() {
        let interrupt = Interrupt()
        #expect(interrupt.sleep(for: .milliseconds(1)) == true)
        interrupt.cancel()
        #expect(interrupt.sleep(for: .seconds(3_600)) == false)
    }
}
