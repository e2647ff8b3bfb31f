import CoreMetrics
import LibAV
import Logging
import Media
import NIOCore
import RTMP

/// An input besides RTMP, published like one: opened, admitted, read on a thread of its own, and opened again.
struct InputPublisher: Sendable {
    private let source: InputSource
    private let isPaced: Bool
    private let ingest: IngestContext
    private let registry: BroadcastRegistry
    private let eventLoop: any EventLoop
    private let metrics = InputMetrics()
    private let damagedPackets: Counter

    /// - Parameters:
    ///   - isPaced: whether it is read at the pace of its times even if it looks live.
    ///   - eventLoop: where its broadcast is to live.
    init(
        _ source: InputSource, isPaced: Bool, ingest: IngestContext, registry: BroadcastRegistry,
        eventLoop: any EventLoop
    ) {
        self.source = source
        damagedPackets = InputMetrics.damagedPackets(scheme: source.address.scheme)
        self.isPaced = isPaced
        self.ingest = ingest
        self.registry = registry
        self.eventLoop = eventLoop
    }

    /// Publishes until the input is over or the task is cancelled.
    func run() async {
        await PublisherThread.run { control in
            publishRepeatedly(control)
        }
    }

    /// What came of opening an input once.
    private struct Attempt {
        var end: InputLife.End
        /// In the library's words, or the registry's; empty where there is nothing to add.
        var reason = ""
        var published = Duration.zero
        var isPlainFile = false
    }

    private func publishRepeatedly(_ control: PublishControl) {
        let address = source.address
        guard let name = StreamName(publishedAs: source.stream) else { return }
        var logger = ingest.logger
        logger[metadataKey: "stream"] = "\(name.path)"
        logger[metadataKey: "input.scheme"] = "\(address.scheme)"
        var life = InputLife(address.kind)
        var lastFailure: InputLife.End?
        while !control.isCancelled {
            let attempt = publish(address, as: name, control, logger)
            let next = life.next(
                after: attempt.end, published: attempt.published, isPlainFile: attempt.isPlainFile)
            // A failure that lasts is told once.
            let isRepeated = attempt.end == lastFailure && attempt.published < Backoff.recovery
            let level: Logger.Level = isRepeated ? .debug : .warning
            lastFailure = attempt.end
            report(attempt, next, level, logger)
            guard case .reopen(let wait) = next, control.begin().sleep(for: wait) else { return }
        }
    }

    private func report(_ attempt: Attempt, _ next: InputLife.Next, _ level: Logger.Level, _ logger: Logger) {
        var metadata: Logger.Metadata = [:]
        if !attempt.reason.isEmpty { metadata["reason"] = "\(attempt.reason)" }
        if case .reopen(let wait) = next, wait > .zero { metadata["retry.after"] = "\(wait)" }
        switch attempt.end {
        case .cancelled, .closed(.draining):
            logger.info("input closed")
        case .ended:
            logger.info(next == .over ? "input is over" : "input ended", metadata: metadata)
        case .failed where next == .reopen(after: .zero):
            // A listener's peer left; some protocols have no other way to say so than to break off.
            logger.info("input ended", metadata: metadata)
        case .failed(let failure):
            InputMetrics.failures(failure).increment()
            logger.log(level: level, "input failed", metadata: metadata)
        case .closed:
            InputMetrics.failures(.closed).increment()
            logger.log(level: level, "input's publish ended", metadata: metadata)
        }
    }

    // MARK: One opening

    private func publish(
        _ address: InputAddress, as name: StreamName, _ control: PublishControl, _ logger: Logger
    ) -> Attempt {
        let interrupt = control.begin()
        do throws(LibAVError) {
            var limits = Demuxer.Limits()
            limits.reading = ingest.configuration.limits.publishIdleDeadline
            var demuxer = try Demuxer(address, interrupt: interrupt, limits: limits)
            metrics.opens.increment()
            // An input that brings nothing must not displace a publisher that does.
            guard let first = try read(&demuxer) else {
                return Attempt(end: .ended, reason: "there is nothing in it", isPlainFile: demuxer.isPlainFile)
            }
            return publish(&demuxer, from: first, address, as: name, control, interrupt, logger)
        } catch {
            return Attempt(
                end: control.isCancelled ? .cancelled : .failed(Self.failure(toOpen: address, error)),
                reason: Self.reason(error, interrupt))
        }
    }

    private func publish(
        _ demuxer: inout Demuxer, from first: Demuxer.Event, _ address: InputAddress, as name: StreamName,
        _ control: PublishControl, _ interrupt: Interrupt, _ logger: Logger
    ) -> Attempt {
        let publisher: LocalPublisher
        do throws(AdmissionRefused) {
            publisher = try LocalPublisher(
                name, on: eventLoop, ingest: ingest, registry: registry,
                close: { reason in control.close(interrupt, reason) })
        } catch {
            let end: InputLife.End = error.reason == .draining ? .cancelled : .failed(.refused)
            return Attempt(end: end, reason: error.reason.description, isPlainFile: demuxer.isPlainFile)
        }
        defer { publisher.leave() }
        let began = ContinuousClock.now
        var attempt = Attempt(end: .ended, isPlainFile: demuxer.isPlainFile)
        logger.info("input published", metadata: ["epoch": "\(publisher.epoch)"])
        do throws(LibAVError) {
            attempt.end = try pass(
                &demuxer, from: first, to: publisher, pacer: pacer(for: address, demuxer), interrupt)
        } catch {
            attempt.end = .failed(interrupt.isPastDeadline ? .stalled : .read)
            attempt.reason = Self.reason(error, interrupt)
        }
        if control.isCancelled { attempt.end = .cancelled }
        if let closing = control.closing {
            attempt.end = .closed(closing)
            attempt.reason = closing.description
        }
        attempt.published = began.duration(to: .now)
        return attempt
    }

    private func read(_ demuxer: inout Demuxer) throws(LibAVError) -> Demuxer.Event? {
        let damagedBefore = demuxer.damagedPackets
        let event = try demuxer.read()
        damagedPackets.increment(by: demuxer.damagedPackets - damagedBefore)
        return event
    }

    /// Nil for what sets the pace itself.
    private func pacer(for address: InputAddress, _ demuxer: borrowing Demuxer) -> Pacer? {
        if demuxer.isPlainFile { return Pacer() }
        // A server's clock may run faster than ours: what is held to our own would fall behind for good.
        if isPaced || address.kind == .pull && address.isStored { return Pacer(speed: 1.001) }
        return nil
    }

    private static func reason(_ error: LibAVError, _ interrupt: Interrupt) -> String {
        interrupt.isPastDeadline && !interrupt.isCancelled ? "nothing came in time" : error.reason
    }

    /// A listener that has been connected to is open; what failed then was to make sense of what came.
    private static func failure(toOpen address: InputAddress, _ error: LibAVError) -> InputFailure {
        if case .failed("avio_open2", _) = error { return .open }
        return address.kind == .listener ? .peer : .open
    }

    /// Passes everything on until the input's end.
    private func pass(
        _ demuxer: inout Demuxer, from first: Demuxer.Event, to publisher: LocalPublisher, pacer: Pacer?,
        _ interrupt: Interrupt
    ) throws(LibAVError) -> InputLife.End {
        var pacer = pacer
        let kinds = demuxer.kinds
        let declaration = PublisherEvent.Declaration(
            hasVideo: kinds.contains(.video), hasAudio: kinds.contains(.audio), bitsPerSecond: demuxer.bitsPerSecond,
            framesPerSecond: demuxer.framesPerSecond)
        guard publisher.send([.declared(declaration)]) else { return .failed(.undelivered) }
        var formatsFirst = FormatsFirst(of: kinds)
        var next: Demuxer.Event? = first
        while let event = next {
            if case .packet(let packet) = event {
                let wait = pacer?.wait(for: packet.decodeTime, now: .now) ?? .zero
                if wait > .zero, !interrupt.sleep(for: wait) { return .cancelled }
                ingest.metrics.receivedBytes.increment(by: packet.data.readableBytes)
            }
            guard publisher.send(formatsFirst.receive(event).map(PublisherEvent.init)) else {
                return .failed(.undelivered)
            }
            next = try read(&demuxer)
        }
        guard publisher.send(formatsFirst.rest().map(PublisherEvent.init)) else { return .failed(.undelivered) }
        return .ended
    }
}
