import LibAV
import Media
import NIOCore
import Testing

/// Frames and packets for tests, made by libav itself.
enum Pictures {
    /// The first frames of a source such as `testsrc2=size=320x180:rate=30`.
    static func frames(_ source: String, kind: TrackKind = .video, count: Int) throws -> [Frame] {
        var graph = try FilterGraph(source: source, kind: kind)
        var frames: [Frame] = []
        while frames.count < count, let frame = try graph.receive() { frames.append(frame) }
        return frames
    }

    static func filter(_ frames: [Frame], _ description: String, frameSize: Int? = nil) throws -> [Frame] {
        var graph = try FilterGraph(description, input: try #require(frames.first).layout)
        if let frameSize { graph.setFrameSize(frameSize) }
        var filtered: [Frame] = []
        for frame in frames {
            try graph.send(frame)
            while let frame = try graph.receive() { filtered.append(frame) }
        }
        try graph.end()
        while let frame = try graph.receive() { filtered.append(frame) }
        return filtered
    }

    static func configuration(
        width: Int = 320, height: Int = 180, options: [(String, String)] = [("preset", "ultrafast")]
    ) -> VideoEncoder.Configuration {
        VideoEncoder.Configuration(
            width: width, height: height, framesPerSecond: 30, bitsPerSecond: 1_000_000,
            maximumBitsPerSecond: 1_000_000, bufferBits: 1_000_000, threads: 1,
            options: options.map { VideoEncoder.Configuration.Option(name: $0.0, value: $0.1) })
    }

    /// For each frame the packets that came with it; those that were left, last.
    static func encode(
        _ frames: [Frame], with encoder: inout VideoEncoder, keyframes: Set<Int> = [0]
    ) throws -> [[MediaPacket]] {
        var packets: [[MediaPacket]] = []
        for (index, frame) in frames.enumerated() {
            try encoder.send(frame, forcesKeyframe: keyframes.contains(index))
            packets.append([])
            while let packet = try encoder.receive() { packets[index].append(packet) }
        }
        try encoder.end()
        packets.append([])
        while let packet = try encoder.receive() { packets[frames.count].append(packet) }
        return packets
    }

    static func decode(_ packets: [MediaPacket], _ format: TrackFormat) throws -> [Frame] {
        var decoder = try Decoder(format)
        var frames: [Frame] = []
        for packet in packets {
            try decoder.send(packet)
            while let frame = try decoder.receive() { frames.append(frame) }
        }
        try decoder.end()
        while let frame = try decoder.receive() { frames.append(frame) }
        return frames
    }

    /// The types of the NAL units in an access unit behind 4-byte lengths.
    static func nalUnitTypes(_ packet: MediaPacket) -> [UInt8] {
        var data = packet.data
        var types: [UInt8] = []
        while let unit = data.readLengthPrefixedSlice(as: UInt32.self), let type = AnnexB.type(of: unit) {
            types.append(type)
        }
        return types
    }

    /// How alike the brightness of two pictures of the same size is: 1 where equal up to contrast, 0 where unrelated.
    static func correlation(_ left: Frame, _ right: Frame) -> Double {
        var (count, sumLeft, sumRight, squaresLeft, squaresRight, products) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        for y in stride(from: 0, to: left.height, by: 3) {
            for x in stride(from: 0, to: left.width, by: 3) {
                let (a, b) = (Double(left.luma(x: x, y: y)), Double(right.luma(x: x, y: y)))
                count += 1
                sumLeft += a
                sumRight += b
                squaresLeft += a * a
                squaresRight += b * b
                products += a * b
            }
        }
        let variances =
            (squaresLeft - sumLeft * sumLeft / count) * (squaresRight - sumRight * sumRight / count)
        return variances > 0 ? (products - sumLeft * sumRight / count) / variances.squareRoot() : 0
    }
}
