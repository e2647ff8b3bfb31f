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
    private let overlay: Overlay
    private let threads: TranscodeThreads
    private let metrics: TranscodeMetrics
    private let logger: Logger
    private let output: @Sendable ([Ladder.Output]) -> Void

    private var videoFormat: TrackFormat?
    private var framesPerSecond: Double?
    private var decoder: Decoder?
    private var awaitsKeyframe = true
    /// Access units that have been decoded since the format came; far below 0 once there was a frame.
    private var frameless = 0
    private var deinterlacer: Deinterlacer?
    private var audio: AudioLadder?
    /// Nil where cuts come from outside.
    private var cutter: SegmentCutter?
    /// Cuts from outside whose frame has not been decoded yet.
    private var awaited: [SegmentBoundary] = []
    /// The number of the last boundary that has been passed on, and whether a segment began there.
    private var boundary = 0
    private var isOpen = false
    /// The renditions that run or have run, by name.
    private var running: [String: RunningRendition] = [:]
    private var isPlanned = false
    private var layout: FrameLayout?
    private var captions: Set<CaptionService> = []
    /// The last decode time of each audio, by its first rendition.
    private var lastAudio: [String: Timestamp] = [:]
    private var hasToldUndecodable = false

    private struct RunningRendition {
        /// Of its picture; nil for audio alone.
        var target: RenditionEncoder.Target?
        var encoder: RenditionEncoder?
    }

    /// Frames a second where neither the source nor the rendition says.
    private static let defaultRate = 30.0
    /// Cuts that wait for their frames at most.
    private static let awaitedLimit = 16
    /// Access units without a frame after which the video counts as undecodable: more than any encoder reorders.
    private static let framelessLimit = 120
    /// How long a cut waits for its frame when audio shows that time goes on.
    private static let patience = Timestamp.milliseconds(1_000)

    init(
        specs: [RenditionSpec], overlay: Overlay, ownCuts: Segmenter.Configuration?,
        eventLoop: any EventLoop, threads: TranscodeThreads,
        metrics: TranscodeMetrics, logger: Logger, output: @escaping @Sendable ([Ladder.Output]) -> Void
    ) {
        self.specs = specs
        self.overlay = overlay
        self.threads = threads
        self.metrics = metrics
        self.logger = logger
        self.output = output
        cutter = ownCuts.map { SegmentCutter(configuration: $0) }
        self.eventLoop = eventLoop
    }

    // MARK: What comes in

    func receive(_ input: Ladder.Input) {
        switch input {
        case .format(let format, let framesPerSecond): formatArrived(format, framesPerSecond: framesPerSecond)
        case .packet(let packet, let isDiscontinuity):
            if isDiscontinuity { interrupt() }
            switch packet.track {
            case .video: decode(packet)
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
            videoFormat = nil
            decoder = nil
            audio = nil
            isPlanned = false
            hasToldUndecodable = false
        }
    }

    /// Lets everything out.
    func drain(_ done: @escaping @Sendable () -> Void) {
        interrupt()
        let ends = running.values.compactMap(\.encoder).map { encoder in
            let ended = eventLoop.makePromise(of: Void.self)
            encoder.offer(.finish { ended.succeed() })
            return ended.futureResult
        }
        EventLoopFuture.andAllSucceed(ends, on: eventLoop).whenComplete { _ in done() }
    }

    /// Lets everything out, gives the threads back, and is of no use after that.
    func finish(_ done: @escaping @Sendable () -> Void) {
        let encoders = running.values.compactMap(\.encoder)
        drain { [threads, eventLoop] in
            for encoder in encoders { threads.giveBack(encoder.eventLoop) }
            threads.giveBack(eventLoop)
            done()
        }
        decoder = nil
        audio = nil
        running = [:]
    }

    private func formatArrived(_ format: TrackFormat, framesPerSecond: Double?) {
        switch format.kind {
        case .video:
            drain()
            videoFormat = format
            frameless = 0
            self.framesPerSecond = Self.rate(of: format) ?? framesPerSecond
            awaitsKeyframe = true
            decoder = nil
            do throws(LibAVError) {
                decoder = try Decoder(format)
            } catch {
                logger.error("the video cannot be decoded", metadata: ["reason": "\(error.reason)"])
            }
        case .audio:
            restartAudio()
            do throws(LibAVError) {
                audio = try AudioLadder(format, for: specs.filter { $0.kind != .source })
            } catch {
                audio = nil
                logger.error("the audio cannot be transcoded", metadata: ["reason": "\(error.reason)"])
            }
        }
        tracksChanged()
    }

    private func tracksChanged() {
        isPlanned = false
        let kinds = Set([videoFormat == nil ? nil : TrackKind.video, audio == nil ? nil : .audio].compactMap(\.self))
        if let closed = cutter?.formatsChanged(to: kinds) { pass([closed]) }
    }

    /// The rest goes on without the video, until its format changes.
    private func giveUpVideo() {
        logger.error("the video cannot be decoded; the ladder goes on without")
        videoFormat = nil
        decoder = nil
        tracksChanged()
    }

    private static func rate(of format: TrackFormat) -> Double? {
        switch format {
        case .h264(let configuration): configuration.framesPerSecond
        case .other(let parameters): parameters.framesPerSecond
        case .aac: nil
        }
    }

    // MARK: Video

    private func decode(_ packet: MediaPacket) {
        if awaitsKeyframe {
            guard packet.isKeyframe else { return }
            awaitsKeyframe = false
        }
        do throws(LibAVError) {
            try decoder?.send(packet)
        } catch {
            undecodable(error)
        }
        frameless += 1
        takeFrames()
        if frameless > Self.framelessLimit, decoder != nil { giveUpVideo() }
    }

    private func undecodable(_ error: LibAVError) {
        metrics.undecodable.increment()
        if !hasToldUndecodable {
            logger.warning("access units cannot be decoded", metadata: ["reason": "\(error.reason)"])
        }
        hasToldUndecodable = true
    }

    private func takeFrames() {
        do throws(LibAVError) {
            while let frame = try decoder?.receive() {
                metrics.decodedFrames.increment()
                frameless = .min / 2
                if deinterlacer == nil, frame.isInterlaced { deinterlacer = Deinterlacer() }
                deinterlace(frame)
            }
        } catch {
            undecodable(error)
        }
    }

    private func deinterlace(_ frame: Frame) {
        guard deinterlacer != nil else { return receive(frame) }
        do throws(LibAVError) {
            try deinterlacer?.send(frame)
            while let whole = try deinterlacer?.receive() { receive(whole) }
        } catch {
            // Too small to have fields, for instance.
            receive(frame)
        }
    }

    private func receive(_ frame: Frame) {
        if layout != frame.layout || !isPlanned {
            if isPlanned, let closed = cutter?.interrupted() { pass([closed]) }
            plan(frame)
        }
        if !frame.captions.isEmpty {
            let seen = CaptionService.services(in: frame.captions)
            if !seen.isSubset(of: captions) {
                output([.captions(seen.subtracting(captions))])
                captions.formUnion(seen)
            }
        }
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
            let count = awaited.prefix { ($0.begun?.presentationTime ?? time) <= time }.count
            let reached = Array(awaited.prefix(count))
            awaited.removeFirst(count)
            hand(frame, behind: reached)
        }
    }

    /// Gives a frame to every rendition, behind the boundaries it has reached.
    private func hand(_ frame: Frame?, behind boundaries: [SegmentBoundary]) {
        if let last = boundaries.last {
            boundary = last.number
            isOpen = last.begun != nil
        }
        guard !boundaries.isEmpty || isOpen && frame != nil else { return }
        for (name, rendition) in running {
            let audio = audio?.format(for: name)
            switch (rendition.encoder, rendition.target, frame) {
            case (let encoder?, var target?, let frame?):
                target.audio = audio
                encoder.offer(RenditionEncoder.Picture(frame: frame, target: target), behind: boundaries)
            case (let encoder?, .some, nil):
                encoder.offer(.boundaries(boundaries))
            case (let encoder?, nil, _):
                if !boundaries.isEmpty { encoder.offer(.boundariesOfAudio(boundaries, audio)) }
            case (nil, _, _):
                guard !boundaries.isEmpty else { continue }
                output(
                    [.formats([audio].compactMap(\.self), rendition: name)]
                        + boundaries.map { .boundary($0, rendition: name) })
            }
        }
    }

    /// Passes boundaries on that no frame belongs to: what was before them is encoded to its end.
    private func pass(_ boundaries: [SegmentBoundary]) {
        guard !boundaries.isEmpty else { return }
        if cutter != nil { output(boundaries.map { .cut($0) }) }
        hand(nil, behind: boundaries)
    }

    // MARK: Audio

    private func receiveAudio(_ packet: MediaPacket) {
        if !isPlanned, videoFormat == nil { plan(nil) }
        switch cutter?.receive(
            track: .audio, decodeTime: packet.decodeTime, presentationTime: packet.presentationTime, isKeyframe: true,
            isDiscontinuity: false, now: WallClock.milliseconds)
        {
        case nil:
            let limit = videoFormat == nil ? packet.presentationTime : packet.presentationTime - Self.patience
            let count = awaited.prefix { ($0.begun?.presentationTime ?? limit) <= limit }.count
            hand(nil, behind: Array(awaited.prefix(count)))
            awaited.removeFirst(count)
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
        do throws(LibAVError) {
            if let format = videoFormat, decoder != nil, !awaitsKeyframe {
                try decoder?.end()
                takeFrames()
                try deinterlacer?.end()
                while let whole = try deinterlacer?.receive() { receive(whole) }
                decoder = nil
                decoder = try Decoder(format)
            }
            deinterlacer = nil
            awaitsKeyframe = true
        } catch {
            undecodable(error)
        }
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

    /// Nil when there are no more threads.
    private func encoder(for name: String, _ video: RenditionSpec.Video) -> RenditionEncoder? {
        if let eventLoop = threads.lend() {
            return RenditionEncoder(
                name, video, overlay: overlay, eventLoop: eventLoop, metrics: metrics, logger: logger, output: output)
        }
        metrics.failedRenditions.increment()
        logger.error("the rendition is given up", metadata: ["rendition": "\(name)", "reason": "no threads are left"])
        return nil
    }

    /// Decides which renditions there are for this picture, or for audio alone. One that runs goes on.
    private func plan(_ frame: Frame?) {
        isPlanned = true
        layout = frame?.layout
        var source = frame.map { LadderPlan.Source($0, framesPerSecond: framesPerSecond) }
        source?.isPassable = videoFormat?.isTransmuxable ?? true
        let plan = LadderPlan.renditions(
            specs, source: source, hasAudio: audio != nil, running: Set(running.keys)
        ).filter { $0.spec.kind != .source }
        for name in running.keys { running[name]?.target = nil }
        for rendition in plan {
            let name = rendition.spec.name
            var entry = running[name] ?? RunningRendition()
            if let size = rendition.picture, let video = rendition.spec.video {
                entry.encoder = entry.encoder ?? encoder(for: name, video)
                entry.target = RenditionEncoder.Target(
                    size: size, framesPerSecond: video.framesPerSecond ?? framesPerSecond ?? Self.defaultRate)
                if entry.encoder == nil { continue }
            }
            running[name] = entry
        }
        output([.planned(plan.map(\.spec.name).filter { running[$0] != nil })])
        logger.info(
            "ladder",
            metadata: [
                "source": "\(source.map { "\($0.size)" } ?? "audio")",
                "renditions": "\(plan.map(\.description).joined(separator: " "))",
            ])
    }
}
