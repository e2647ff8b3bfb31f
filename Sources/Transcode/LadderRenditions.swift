import CoreMetrics
import HLS
import LibAV
import Logging
import Media
import NIOCore

/// The renditions a ladder runs: which there are for the source's picture, and what each is handed. Confined to the
/// ladder's source.
final class LadderRenditions {
    private struct Entry {
        /// Of its picture; nil for audio alone.
        var target: RenditionEncoder.Target?
        var encoder: RenditionEncoder?
    }

    private let specs: [RenditionSpec]
    private let overlay: Overlay
    private let threads: TranscodeThreads
    private let metrics: TranscodeMetrics
    private let logger: Logger
    private let output: @Sendable ([Ladder.Output]) -> Void
    /// Those that run or have run, by name.
    private var entries: [String: Entry] = [:]

    /// Frames a second where neither the source nor the rendition says.
    private static let defaultRate = 30.0

    init(
        specs: [RenditionSpec], overlay: Overlay, threads: TranscodeThreads, metrics: TranscodeMetrics,
        logger: Logger, output: @escaping @Sendable ([Ladder.Output]) -> Void
    ) {
        self.specs = specs
        self.overlay = overlay
        self.threads = threads
        self.metrics = metrics
        self.logger = logger
        self.output = output
    }

    /// Decides which there are for this picture, or for audio alone. One that runs goes on.
    func plan(_ frame: Frame?, of video: VideoSource?, hasAudio: Bool) {
        let rate = video?.framesPerSecond
        var source = frame.map { LadderPlan.Source($0, framesPerSecond: rate) }
        source?.isPassable = video?.format.isTransmuxable ?? true
        let plan = LadderPlan.renditions(specs, source: source, hasAudio: hasAudio, running: Set(entries.keys))
            .filter { $0.spec.kind != .source }
        for name in entries.keys { entries[name]?.target = nil }
        for rendition in plan {
            let name = rendition.spec.name
            var entry = entries[name] ?? Entry()
            if let size = rendition.picture, let video = rendition.spec.video {
                guard let encoder = entry.encoder ?? encoder(for: name, video) else { continue }
                entry.encoder = encoder
                entry.target = RenditionEncoder.Target(
                    size: size, framesPerSecond: video.framesPerSecond ?? rate ?? Self.defaultRate)
            }
            entries[name] = entry
        }
        output([.planned(plan.map(\.spec.name).filter { entries[$0] != nil })])
        logger.info(
            "ladder",
            metadata: [
                "source": "\(source.map { "\($0.size)" } ?? "audio")",
                "renditions": "\(plan.map(\.description).joined(separator: " "))",
            ])
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

    /// Gives a frame to each, behind the boundaries it has reached; without one, boundaries that no frame belongs to.
    func hand(_ frame: Frame?, behind boundaries: [SegmentBoundary], audio: AudioLadder?) {
        for (name, entry) in entries {
            let audio = audio?.format(for: name)
            switch (entry.encoder, entry.target, frame) {
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

    /// Calls `done` when everything has come out of the encoders.
    func drain(on eventLoop: any EventLoop, _ done: @escaping @Sendable () -> Void) {
        let ends = entries.values.compactMap(\.encoder).map { encoder in
            let ended = eventLoop.makePromise(of: Void.self)
            encoder.offer(.finish { ended.succeed() })
            return ended.futureResult
        }
        EventLoopFuture.andAllSucceed(ends, on: eventLoop).whenComplete { _ in done() }
    }

    /// The same, and gives the encoders' threads back.
    func finish(on eventLoop: any EventLoop, _ done: @escaping @Sendable () -> Void) {
        let loops = entries.values.compactMap(\.encoder).map(\.eventLoop)
        drain(on: eventLoop) { [threads] in
            for loop in loops { threads.giveBack(loop) }
            done()
        }
        entries = [:]
    }
}
