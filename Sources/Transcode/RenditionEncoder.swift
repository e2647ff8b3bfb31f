import CoreMetrics
import HLS
import LibAV
import Logging
import Media
import NIOCore
import Synchronization

/// One rendition's half of the ladder, on a thread of its own: takes pictures from its queue, brings them to the
/// rendition's rate, size and look, and encodes them. A picture that begins a segment becomes a keyframe.
///
/// When it cannot keep up, pictures are dropped before they are encoded, so that the rest stays in time.
actor RenditionEncoder {
    /// What pictures are to become.
    struct Target: Hashable, Sendable {
        var size: PictureSize
        var framesPerSecond: Double
        /// The audio beside it.
        var audio: TrackFormat?
    }

    struct Picture: Sendable {
        var frame: Frame
        var target: Target
    }

    enum Command: Sendable {
        /// Boundaries that no picture belongs to. Where nothing begins behind the last, all pictures before it come out.
        case boundaries([SegmentBoundary])
        /// The same where the source has no picture any more, and what the rendition then has.
        case boundariesOfAudio([SegmentBoundary], TrackFormat?)
        case finish(@Sendable () -> Void)
    }

    nonisolated let eventLoop: any EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe eventLoop.executor.asUnownedSerialExecutor() }

    private nonisolated let queue = Mutex(FrameQueue<Picture, SegmentBoundary, Command>(merge: RenditionEncoder.merge))
    private let name: String
    private let video: RenditionSpec.Video
    private let overlay: Overlay
    private let logger: Logger
    private let output: @Sendable ([Ladder.Output]) -> Void
    private let metrics: TranscodeMetrics
    private let encodedFrames: Counter
    private let droppedFrames: Counter

    private var target: Target?
    private var layout: FrameLayout?
    private var graph: FilterGraph?
    private var encoder: VideoEncoder?
    private var converter: FrameRateConverter
    private var lastFrame: Frame?
    /// Captions of pictures that the rendition's rate has no room for.
    private var leftCaptions: [UInt8]?
    /// Boundaries whose first packet the encoder has not given yet.
    private var boundaries: [SegmentBoundary] = []
    private var forcesKeyframe = false
    private var framesInside = 0
    private var framesDrawn = 0
    private var outputs: [Ladder.Output] = []
    private var hasFailed = false

    /// What pictures that wait may take, all renditions sharing them; four may wait however large they are.
    private static let queueBytesLimit = 128 << 20
    /// As much as one picture can carry (`CEA-708 §4.4`: 31 triplets).
    private static let captionBytesLimit = 93

    init(
        _ name: String, _ video: RenditionSpec.Video, overlay: Overlay, eventLoop: any EventLoop,
        metrics: TranscodeMetrics, logger: Logger, output: @escaping @Sendable ([Ladder.Output]) -> Void
    ) {
        self.name = name
        self.video = video
        self.overlay = overlay
        self.eventLoop = eventLoop
        self.output = output
        var logger = logger
        logger[metadataKey: "rendition"] = "\(name)"
        self.logger = logger
        self.metrics = metrics
        encodedFrames = TranscodeMetrics.encodedFrames(rendition: name)
        droppedFrames = TranscodeMetrics.droppedFrames(rendition: name)
        converter = FrameRateConverter(video.frameRate)
    }

    // MARK: From other threads

    nonisolated func offer(_ picture: Picture, behind boundaries: [SegmentBoundary]) {
        let wakes = queue.withLock { queue in
            defer { queue.offer(picture, boundaries: boundaries, now: MonotonicClock.nanoseconds) }
            let bytes = max(1, picture.frame.width * picture.frame.height * 3 / 2)
            queue.limits.count = min(max(Self.queueBytesLimit / bytes, 4), FrameQueue<Int, Int, Int>.Limits().count)
            return queue.isEmpty
        }
        if wakes { wake() }
    }

    nonisolated func offer(_ command: Command) {
        queue.withLock { $0.offer(command, now: MonotonicClock.nanoseconds) }
        wake()
    }

    private nonisolated func wake() {
        eventLoop.execute { [self] in assumeIsolated { $0.work() } }
    }

    /// Captions of a dropped picture go with the next.
    private static func merge(_ dropped: Picture, into next: inout Picture) {
        if let frame = try? merging(dropped.frame.captions, into: next.frame) { next.frame = frame }
    }

    private static func merging(_ captions: [UInt8], into frame: Frame) throws(LibAVError) -> Frame {
        if captions.isEmpty { return frame }
        return try frame.copy(captions: Array((captions + frame.captions).prefix(captionBytesLimit)))
    }

    private func keepCaptions(of frame: Frame) {
        let captions = frame.captions
        guard !captions.isEmpty else { return }
        leftCaptions = Array(((leftCaptions ?? []) + captions).prefix(Self.captionBytesLimit))
    }

    // MARK: On its own thread

    private func work() {
        while true {
            let (item, report) = queue.withLock { queue in
                let now = MonotonicClock.nanoseconds
                return (queue.take(now: now), queue.drops.report(now: now))
            }
            tell(report)
            switch item {
            case nil: return
            case .entry(let entry):
                boundaries += entry.boundaries
                if !entry.boundaries.isEmpty { forcesKeyframe = true }
                if let picture = entry.frame { encode(picture, fillsGap: entry.dropped == 0) }
            case .command(.boundaries(let passed)):
                // Nothing tells when the next picture comes, so those inside come out now.
                if passed.last?.begun == nil || framesInside > 0 { drain() }
                boundaries += passed
                forcesKeyframe = true
            case .command(.boundariesOfAudio(let passed, let format)):
                if encoder != nil { drain() }
                target = nil
                outputs.append(.formats([format].compactMap(\.self), rendition: name))
                boundaries += passed
            case .command(.finish(let done)):
                drain()
                flush()
                done()
            }
            if framesInside == 0 { passBoundaries() }
            flush()
        }
    }

    private func flush() {
        guard !outputs.isEmpty else { return }
        output(outputs)
        outputs = []
    }

    private func tell(_ report: DropEpisodes.Report) {
        if report.dropped > 0 { droppedFrames.increment(by: report.dropped) }
        switch report.event {
        case .began: logger.warning("frames are dropped: this host cannot keep up with the rendition")
        case .ended(let dropped): logger.notice("frames are no longer dropped", metadata: ["dropped": "\(dropped)"])
        case nil: break
        }
    }

    private func encode(_ picture: Picture, fillsGap: Bool) {
        guard !hasFailed else { return }
        do throws(LibAVError) {
            try prepare(for: picture)
            let startsSegment = forcesKeyframe
            let pictures = converter.receive(
                picture.frame.presentationTime, startsSegment: startsSegment, fillsGap: fillsGap)
            if let lastFrame {
                for time in pictures.repeats { try encode(lastFrame.copy(presentationTime: time, captions: [])) }
            }
            if let time = pictures.time {
                var frame = picture.frame
                if let leftCaptions { frame = try Self.merging(leftCaptions, into: frame) }
                leftCaptions = nil
                if time != frame.presentationTime { frame = try frame.copy(presentationTime: time) }
                try encode(frame, isKeyframe: startsSegment)
                forcesKeyframe = false
            } else {
                keepCaptions(of: picture.frame)
            }
            if video.frameRate != nil { lastFrame = picture.frame }
        } catch {
            if error.isRecoverable { return droppedFrames.increment() }
            fail(error)
        }
    }

    private func encode(_ frame: Frame, isKeyframe: Bool = false) throws(LibAVError) {
        framesDrawn += 1
        let frame =
            overlay == .clock
            ? try frame.copy(text: "\(name) \(WallClock.text(unixMilliseconds: WallClock.milliseconds)) \(framesDrawn)")
            : frame
        try graph?.send(frame)
        while let filtered = try graph?.receive() {
            if encoder == nil { try openEncoder(for: filtered) }
            try encoder?.send(filtered, forcesKeyframe: isKeyframe)
            framesInside += 1
            try takePackets()
        }
    }

    private func openEncoder(for frame: Frame) throws(LibAVError) {
        let framesPerSecond = target?.framesPerSecond ?? 0
        let threads = video.encoderThreads(
            size: PictureSize(width: frame.width, height: frame.height), framesPerSecond: framesPerSecond,
            processors: System.coreCount)
        encoder = try VideoEncoder(
            video.videoEncoderConfiguration(
                width: frame.width, height: frame.height, framesPerSecond: framesPerSecond, threads: threads),
            colour: frame.layout)
        tellFormats()
    }

    private func takePackets() throws(LibAVError) {
        while let packet = try encoder?.receive() {
            framesInside -= 1
            encodedFrames.increment()
            if packet.isKeyframe { passBoundaries(upTo: packet.presentationTime) }
            outputs.append(.packet(packet, renditions: [name], boundary: 0))
        }
    }

    private func passBoundaries(upTo time: Timestamp? = nil) {
        let count = time.map { time in boundaries.prefix { ($0.begun?.presentationTime ?? time) <= time }.count }
        for boundary in boundaries.prefix(count ?? boundaries.count) {
            outputs.append(.boundary(boundary, rendition: name))
        }
        boundaries.removeFirst(count ?? boundaries.count)
    }

    /// Sets the filters up for a picture that is not like the one before.
    private func prepare(for picture: Picture) throws(LibAVError) {
        // A picture of another size waits for a segment to begin, for which decoders are told of it.
        var target = picture.target
        if encoder != nil, !forcesKeyframe, let current = self.target { target = current }
        let isSameStream =
            target.size == self.target?.size && target.framesPerSecond == self.target?.framesPerSecond
        if !isSameStream { drain() }
        let hasOtherAudio = target.audio != self.target?.audio
        self.target = target
        if hasOtherAudio, encoder != nil { tellFormats() }
        guard graph == nil || picture.frame.layout != layout else { return }
        layout = picture.frame.layout
        lastFrame = nil
        graph = nil
        graph = try FilterGraph(
            VideoFilters.description(
                from: picture.frame.layout, to: target.size,
                pixelFormat: LibAVInventory.pixelFormat(ofEncoder: video.encoder) ?? "yuv420p", overlay: overlay),
            input: picture.frame.layout)
    }

    private func tellFormats() {
        outputs.append(.formats([encoder?.format, target?.audio].compactMap(\.self), rendition: name))
    }

    /// Lets everything out of the encoder, which is of no use after that.
    private func drain() {
        do throws(LibAVError) {
            try encoder?.end()
            try takePackets()
        } catch {
            logger.debug("the encoder cannot be drained", metadata: ["reason": "\(error.reason)"])
        }
        encoder = nil
        graph = nil
        lastFrame = nil
        framesInside = 0
        converter.restart()
    }

    private func fail(_ error: LibAVError) {
        hasFailed = true
        framesInside = 0
        metrics.failedRenditions.increment()
        encoder = nil
        graph = nil
        lastFrame = nil
        logger.error("the rendition is given up", metadata: ["reason": "\(error.reason)"])
        outputs.append(.failed(rendition: name))
    }
}
