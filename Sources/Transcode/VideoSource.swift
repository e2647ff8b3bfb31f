import CoreMetrics
import LibAV
import Media

/// The source's video on its way to pictures: decoded from the first keyframe on, and made whole where it is interlaced.
/// Confined to the ladder's source.
final class VideoSource {
    let format: TrackFormat
    /// Nil where nothing tells.
    let framesPerSecond: Double?
    private let metrics: TranscodeMetrics
    private var decoder: Decoder
    private var deinterlacer: Deinterlacer?
    private var awaitsKeyframe = true
    /// Access units since the beginning without a picture; nil once there was one.
    private var frameless: Int? = 0

    /// Access units without a picture after which none is to be expected: more than any encoder reorders.
    private static let framelessLimit = 120

    /// Throws where there is no decoder for it, or its configuration is damaged.
    init(_ format: TrackFormat, declaredRate: Double?, metrics: TranscodeMetrics) throws(LibAVError) {
        self.format = format
        framesPerSecond =
            switch format {
            case .h264(let configuration): configuration.framesPerSecond ?? declaredRate
            case .other(let parameters): parameters.framesPerSecond ?? declaredRate
            case .aac: declaredRate
            }
        self.metrics = metrics
        decoder = try Decoder(format)
    }

    /// Whether it is no use to go on.
    var isHopeless: Bool { frameless.map { $0 > Self.framelessLimit } ?? false }

    /// Puts the pictures that come of it behind `frames`; throws for what cannot be decoded.
    func receive(_ packet: MediaPacket, into frames: inout [Frame]) throws(LibAVError) {
        if awaitsKeyframe, !packet.isKeyframe { return }
        awaitsKeyframe = false
        if let frameless { self.frameless = frameless + 1 }
        do throws(LibAVError) {
            try decoder.send(packet)
        } catch {
            try takeFrames(into: &frames)
            throw error
        }
        try takeFrames(into: &frames)
    }

    /// Gives what is still inside, and begins anew at the next keyframe.
    func restart(into frames: inout [Frame]) throws(LibAVError) {
        guard !awaitsKeyframe else { return }
        awaitsKeyframe = true
        do throws(LibAVError) {
            try decoder.end()
            try takeFrames(into: &frames)
            try deinterlacer?.end()
            while let whole = try deinterlacer?.receive() { frames.append(whole) }
        } catch {
            deinterlacer = nil
            decoder = try Decoder(format)
            throw error
        }
        deinterlacer = nil
        decoder = try Decoder(format)
    }

    private func takeFrames(into frames: inout [Frame]) throws(LibAVError) {
        while let frame = try decoder.receive() {
            metrics.decodedFrames.increment()
            frameless = nil
            if deinterlacer == nil, frame.isInterlaced { deinterlacer = Deinterlacer() }
            deinterlace(frame, into: &frames)
        }
    }

    private func deinterlace(_ frame: Frame, into frames: inout [Frame]) {
        guard deinterlacer != nil else { return frames.append(frame) }
        do throws(LibAVError) {
            try deinterlacer?.send(frame)
            while let whole = try deinterlacer?.receive() { frames.append(whole) }
        } catch {
            // Too small to have fields, for instance.
            frames.append(frame)
        }
    }
}
