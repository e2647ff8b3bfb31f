import CoreMetrics
import HLS
import LibAV
import Logging
import Media
import NIOCore

/// The ladder's first half, on a thread of its own: decodes the source once, decides where segments begin or follows the
/// source's cuts, and hands every frame to every rendition.
///
/// A cut takes effect at the first frame not before its time, which so begins the segment in all renditions alike.
actor LadderSource {
    nonisolated let eventLoop: any EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe eventLoop.executor.asUnownedSerialExecutor() }

    private let specs: [RenditionSpec]
    private let threads: TranscodeThreads
    private let metrics: TranscodeMetrics
    private let logger: Logger
    private let output: @Sendable ([Ladder.Output]) -> Void

    private let renditions: LadderRenditions
    private var video: VideoSource?
    private var audio: AudioLadder?
    /// Nil where cuts come from outside.
    private var cutter: SegmentCutter?
    /// Cuts from outside whose frame has not been decoded yet.
    private var awaited: [SegmentBoundary] = []
    /// The number of the last boundary that has been passed on, and whether a segment began there.
    private var boundary = 0
    private var isOpen = false
    /// Whether the renditions are those for the tracks there are, and for pictures of the layout.
    private var isPlanned = false
    private var layout: FrameLayout?
    private var captions: Set<CaptionService> = []
    /// The last decode time of each audio, by its first rendition.
    private var lastAudio: [String: Timestamp] = [:]
    private var hasToldUndecodable = false

    /// Cuts that wait for their frames at most.
    private static let awaitedLimit = 16
    /// How long a cut waits for its frame when audio shows that time goes on.
    private static let patience = Timestamp.milliseconds(1_000)

    init(
        specs: [RenditionSpec], overlay: Overlay, ownCuts: Segmenter.Configuration?, eventLoop: any EventLoop,
        threads: TranscodeThreads, metrics: TranscodeMetrics, logger: Logger,
        output: @escaping @Sendable ([Ladder.Output]) -> Void
    ) {
        self.specs = specs
        self.threads = threads
        self.metrics = metrics
        self.logger = logger
        self.output = output
        self.eventLoop = eventLoop
        renditions = LadderRenditions(
            specs: specs, overlay: overlay, threads: threads, metrics: metrics, logger: logger, output: output)
        cutter = ownCuts.map { SegmentCutter(configuration: $0) }
    }

    // MARK: What comes in

    func receive(_ input: Ladder.Input) {
        switch input {
        case .format(let format, let framesPerSecond): formatArrived(format, framesPerSecond: framesPerSecond)
        case .packet(let packet, let isDiscontinuity):
            if isDiscontinuity { interrupt() }
            switch packet.track {
            case .video: receiveVideo(packet)
            case .audio: receiveAudio(packet)
            }
        case .boundary(let boundary):
            if boundary.begun?.isDiscontinuous != false { drain() }
            awaited.append(boundary)
            if boundary.begun == nil || awaited.count > Self.awaitedLimit {
                pass(awaited)
                awaited = []
            }
        case .interrupted:
            interrupt()
            video = nil
            audio = nil
            isPlanned = false
            hasToldUndecodable = false
        }
    }

    /// Lets everything out.
    func drain(_ done: @escaping @Sendable () -> Void) {
        interrupt()
        renditions.drain(on: eventLoop, done)
    }

    /// Lets everything out, gives the threads back, and is of no use after that.
    func finish(_ done: @escaping @Sendable () -> Void) {
        interrupt()
        video = nil
        audio = nil
        renditions.finish(on: eventLoop) { [threads, eventLoop] in
            threads.giveBack(eventLoop)
            done()
        }
    }

    private func formatArrived(_ format: TrackFormat, framesPerSecond: Double?) {
        switch format.kind {
        case .video:
            drain()
            video = nil
            do throws(LibAVError) {
                video = try VideoSource(format, declaredRate: framesPerSecond, metrics: metrics)
            } catch {
                logger.error("the video cannot be decoded", metadata: ["reason": "\(error.reason)"])
            }
        case .audio:
            restartAudio()
            audio = nil
            do throws(LibAVError) {
                audio = try AudioLadder(format, for: specs.filter { $0.kind != .source })
            } catch {
                logger.error("the audio cannot be transcoded", metadata: ["reason": "\(error.reason)"])
            }
        }
        tracksChanged()
    }

    private func tracksChanged() {
        isPlanned = false
        let kinds = Set([video == nil ? nil : TrackKind.video, audio == nil ? nil : .audio].compactMap(\.self))
        if let closed = cutter?.formatsChanged(to: kinds) { pass([closed]) }
    }

    private func undecodable(_ error: LibAVError) {
        metrics.undecodable.increment()
        if !hasToldUndecodable {
            logger.warning("access units cannot be decoded", metadata: ["reason": "\(error.reason)"])
        }
        hasToldUndecodable = true
    }

    // MARK: Video

    private func receiveVideo(_ packet: MediaPacket) {
        var frames: [Frame] = []
        do throws(LibAVError) {
            try video?.receive(packet, into: &frames)
        } catch {
            undecodable(error)
        }
        for frame in frames { receive(frame) }
        guard video?.isHopeless == true else { return }
        logger.error("the video cannot be decoded; the ladder goes on without")
        video = nil
        tracksChanged()
    }

    private func receive(_ frame: Frame) {
        if layout != frame.layout || !isPlanned {
            if isPlanned, let closed = cutter?.interrupted() { pass([closed]) }
            plan(frame)
        }
        noteCaptions(of: frame)
        let time = frame.presentationTime
        switch cutter?.receive(
            track: .video, decodeTime: time, presentationTime: time, isKeyframe: true, isDiscontinuity: false,
            now: WallClock.milliseconds)
        {
        case .drop: return
        case .append: hand(frame, behind: [])
        case .boundary(let boundary):
            output([.cut(boundary)])
            hand(frame, behind: [boundary])
        case nil:
            hand(frame, behind: takeAwaited(upTo: time))
        }
    }

    private func plan(_ frame: Frame?) {
        isPlanned = true
        layout = frame?.layout
        renditions.plan(frame, of: video, hasAudio: audio != nil)
    }

    private func noteCaptions(of frame: Frame) {
        guard !frame.captions.isEmpty else { return }
        let fresh = CaptionService.services(in: frame.captions).subtracting(captions)
        guard !fresh.isEmpty else { return }
        captions.formUnion(fresh)
        output([.captions(fresh)])
    }

    // MARK: Cuts

    private func takeAwaited(upTo time: Timestamp) -> [SegmentBoundary] {
        let count = awaited.prefix { ($0.begun?.presentationTime ?? time) <= time }.count
        defer { awaited.removeFirst(count) }
        return Array(awaited.prefix(count))
    }

    private func hand(_ frame: Frame?, behind boundaries: [SegmentBoundary]) {
        if let last = boundaries.last {
            boundary = last.number
            isOpen = last.begun != nil
        }
        guard !boundaries.isEmpty || isOpen && frame != nil else { return }
        renditions.hand(frame, behind: boundaries, audio: audio)
    }

    /// Passes boundaries on that no frame belongs to: what was before them is encoded to its end.
    private func pass(_ boundaries: [SegmentBoundary]) {
        guard !boundaries.isEmpty else { return }
        if cutter != nil { output(boundaries.map { .cut($0) }) }
        hand(nil, behind: boundaries)
    }

    // MARK: Audio

    private func receiveAudio(_ packet: MediaPacket) {
        if !isPlanned, video == nil { plan(nil) }
        switch cutter?.receive(
            track: .audio, decodeTime: packet.decodeTime, presentationTime: packet.presentationTime, isKeyframe: true,
            isDiscontinuity: false, now: WallClock.milliseconds)
        {
        case nil:
            let time = packet.presentationTime
            hand(nil, behind: takeAwaited(upTo: video == nil ? time : time - Self.patience))
        case .drop, .append: break
        case .boundary(let boundary): pass([boundary])
        }
        var outputs: [AudioLadder.Output] = []
        do throws(LibAVError) {
            try audio?.receive(packet, into: &outputs)
        } catch {
            undecodable(error)
        }
        pass(outputs)
    }

    /// What a fresh encoder gives first lies before its sound, and may lie before what the last one gave: left out.
    private func pass(_ outputs: [AudioLadder.Output]) {
        let fresh = outputs.filter { audio in
            let name = audio.renditions.first ?? ""
            guard audio.packet.decodeTime > lastAudio[name] ?? .milliseconds(-1) else { return false }
            lastAudio[name] = audio.packet.decodeTime
            return true
        }
        guard !fresh.isEmpty else { return }
        output(fresh.map { .packet($0.packet, renditions: $0.renditions, boundary: boundary) })
    }

    // MARK: Breaks

    /// What follows has nothing to do with what was before.
    private func interrupt() {
        drain()
        if let closed = cutter?.interrupted() { pass([closed]) }
    }

    /// Lets out what the decoders hold, and begins anew.
    private func drain() {
        var frames: [Frame] = []
        do throws(LibAVError) {
            try video?.restart(into: &frames)
        } catch {
            undecodable(error)
        }
        for frame in frames { receive(frame) }
        restartAudio()
    }

    private func restartAudio() {
        var outputs: [AudioLadder.Output] = []
        do throws(LibAVError) {
            try audio?.restart(into: &outputs)
        } catch {
            undecodable(error)
        }
        pass(outputs)
    }
}
