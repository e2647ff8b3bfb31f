import CoreMetrics
import LibAV
import Logging
import Media
import NIOCore
import RTMP
import Transcode

/// A built-in encoder: a moving picture with the clock in it and a beep each second, published as from outside.
package struct TestPattern: Sendable {
    private let name: StreamName
    private let ingest: IngestContext
    private let registry: BroadcastRegistry
    private let eventLoop: any EventLoop
    private let metrics = InputMetrics()

    /// Behind this the picture starts anew, as after the machine has slept.
    private static let longestLag = Duration.seconds(2)

    /// - Parameter eventLoop: where its broadcast is to live.
    init(_ name: StreamName, ingest: IngestContext, registry: BroadcastRegistry, eventLoop: any EventLoop) {
        self.name = name
        self.ingest = ingest
        self.registry = registry
        self.eventLoop = eventLoop
    }

    /// Makes a first picture, to see whether everything it takes is there: for a clear word when the service starts.
    package static func verify() throws(TestPatternError) {
        do throws(LibAVError) {
            var media = try TestPatternMedia()
            _ = try media.picture(at: TestPatternMedia.time(ofFrame: 0), text: "00:00:00.000", isKeyframe: true)
        } catch {
            throw TestPatternError(cause: error)
        }
    }

    /// Publishes until the task is cancelled.
    func run() async {
        await PublisherThread.run { control in
            publishRepeatedly(control)
        }
    }

    private func publishRepeatedly(_ control: PublishControl) {
        var logger = ingest.logger
        logger[metadataKey: "stream"] = "\(name.path)"
        var backoff = Backoff()
        while !control.isCancelled {
            let began = ContinuousClock.now
            let failure = publish(control, logger)
            if control.isCancelled || control.closing == .draining { break }
            let wait =
                control.closing == .takenOver ? Backoff.longest : backoff.wait(afterRunning: began.duration(to: .now))
            InputMetrics.failures(failure.label).increment()
            logger.warning(
                "test picture interrupted", metadata: ["reason": "\(failure.reason)", "retry.after": "\(wait)"])
            guard control.begin().sleep(for: wait) else { break }
        }
        logger.info("test picture ended")
    }

    private struct Failure {
        var label: InputFailure
        var reason: String
    }

    private func publish(_ control: PublishControl, _ logger: Logger) -> Failure {
        let interrupt = control.begin()
        do throws(LibAVError) {
            var media = try TestPatternMedia()
            return try publish(&media, control, interrupt, logger)
        } catch {
            return Failure(label: .encode, reason: TestPatternError(cause: error).description)
        }
    }

    private func publish(
        _ media: inout TestPatternMedia, _ control: PublishControl, _ interrupt: Interrupt, _ logger: Logger
    ) throws(LibAVError) -> Failure {
        let publisher: LocalPublisher
        do throws(AdmissionRefused) {
            publisher = try LocalPublisher(
                name, on: eventLoop, ingest: ingest, registry: registry,
                close: { reason in control.close(interrupt, reason) })
        } catch {
            return Failure(label: .refused, reason: error.reason.description)
        }
        defer { publisher.leave() }
        metrics.opens.increment()
        logger.info("test picture published", metadata: ["epoch": "\(publisher.epoch)"])
        let failure = try pass(&media, to: publisher, interrupt)
        return control.closing.map { Failure(label: .closed, reason: $0.description) } ?? failure
    }

    /// Makes a picture whenever one is due, and the sound up to the next; a picture that is late is left out.
    private func pass(
        _ media: inout TestPatternMedia, to publisher: LocalPublisher, _ interrupt: Interrupt
    ) throws(LibAVError) -> Failure {
        let interrupted = Failure(label: .closed, reason: "interrupted")
        let segment = Timestamp.milliseconds(Int64(ingest.configuration.segmentDuration / .milliseconds(1)))
        // The flash and the beep fall on the clock's full seconds.
        let untilSecond = Duration.milliseconds(1_000 - Int64(IngestContext.unixMilliseconds % 1_000))
        let start = ContinuousClock.now + untilSecond
        guard interrupt.sleep(for: untilSecond) else { return interrupted }
        var events: [PublisherEvent] = [
            .declared(
                PublisherEvent.Declaration(
                    hasVideo: true, hasAudio: true, bitsPerSecond: TestPatternMedia.bitsPerSecond,
                    framesPerSecond: Double(TestPatternMedia.framesPerSecond)))
        ]
        events += media.formats.map { .format($0) }
        var lastKeyframe: Timestamp?
        var number: Int64 = 0
        while true {
            let time = TestPatternMedia.time(ofFrame: number)
            let next = TestPatternMedia.time(ofFrame: number + 1)
            let early = ContinuousClock.now.duration(to: start + time.duration)
            if early > .zero, !interrupt.sleep(for: early) { return interrupted }
            if interrupt.isCancelled { return interrupted }
            if early < .zero - Self.longestLag {
                return Failure(label: .stalled, reason: "it has fallen behind the clock")
            }
            let isLate = ContinuousClock.now >= start + next.duration
            if !isLate {
                let isKeyframe = lastKeyframe.map { time - $0 >= segment } ?? true
                if isKeyframe { lastKeyframe = time }
                let text = WallClock.text(unixMilliseconds: Self.unixMilliseconds(at: start + time.duration))
                events += try media.picture(at: time, text: text, isKeyframe: isKeyframe).map { .media($0) }
            }
            events += try media.sound(until: next).map { .media($0) }
            guard publisher.send(events) else {
                return Failure(label: .undelivered, reason: "the broadcast does not take it in")
            }
            events = []
            number += 1
        }
    }

    /// What the clock shows at an instant near now.
    private static func unixMilliseconds(at instant: ContinuousClock.Instant) -> Int64 {
        let now = Int64(clamping: IngestContext.unixMilliseconds)
        let (seconds, attoseconds) = ContinuousClock.now.duration(to: instant).components
        return now + seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }
}
