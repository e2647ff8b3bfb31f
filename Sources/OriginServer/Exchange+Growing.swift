import HTTPSemantics
import CoreMetrics
import NIOCore
import NIOHTTP1
import OriginAccess
import OriginStore
import Synchronization

/// Objects that grow.
extension Exchange {
    func follow(_ object: GrowingObject) {
        guard !namesAnotherVersion else {
            return refuse(
                .preconditionFailed, .precondition, reason: "the object is not whole yet: it has no entity tag")
        }
        guard request.method == .GET else { return answerHead(of: object) }
        let group = object.readers(on: wire.eventLoop)
        let range = wire.takesGrowingBodies ? growingRange : nil
        if !wire.takesGrowingBodies {
            awaitPart(of: object, group, .end)
        } else if let range, !range.isEndless {
            awaitPart(of: object, group, .range(from: range.first, through: range.last))
        } else {
            self.object = object
            phase = .following(group)
            join(group)
            if let range {
                skipped = range.first
                var head = growingHead(of: object, .partialContent)
                head.add("Content-Range", "bytes \(range.first)-\(range.lastText)/*")
                wire.start(head, .growing)
            } else {
                // Where the first bytes may come at any moment, the head waits a moment for them.
                start(.growing, sharing: object.sharedHead, isFollowed: !group.chunks.isEmpty || !object.isAnnounced) {
                    self.growingHead(of: object, .ok)
                }
            }
            request = Self.answered
            resume()
            wire.flush()
        }
    }

    /// What is left of a request whose head is answered and whose body takes its time.
    private static let answered = HTTPRequestHead(version: .http1_1, method: .GET, uri: "")

    /// The range of a growing object that a request asks for; nil for its whole, and for what is not to be had.
    private var growingRange: GrowingRange? {
        guard let range = askedRange else { return nil }
        return range.first == 0 && range.last == nil ? nil : range
    }

    /// Whether the request is for a version with an entity tag (`RFC 9110 §13.1.1`).
    private var namesAnotherVersion: Bool {
        request.headers.first(name: "If-Match").map { $0 != "*" } ?? false
    }

    /// A version that is not there yet has nothing that If-Range could name.
    private var askedRange: GrowingRange? {
        guard !request.headers.contains(name: "If-Range") else { return nil }
        return request.headers.first(name: "Range").flatMap { GrowingRange(header: $0) }
    }

    /// A probe for how much of it there is (`RFC 8673 §2.1`).
    private func answerHead(of object: GrowingObject) {
        let count = object.byteCount
        if let range = askedRange, range.first < count {
            var head = growingHead(of: object, .partialContent)
            let last = range.isEndless ? range.lastText : "\(min(range.last ?? .max, count - 1))"
            head.add("Content-Range", "bytes \(range.first)-\(last)/*")
            wire.start(head, .none)
        } else {
            wire.start(growingHead(of: object, .ok), .none)
        }
        end()
    }

    private func growingHead(of object: GrowingObject, _ status: HTTPResponseStatus) -> ResponseHead {
        let stored = object.head
        var head = head(status)
        head.add("Content-Type", stored.contentType)
        // A part may yet turn out to be of an object that never was.
        if status == .partialContent {
            head.add("Cache-Control", "no-store")
        } else {
            addCacheFields(to: &head, mediaClass, upstream: stored.cacheControl)
        }
        return head
    }

    /// Starts a response of status 200 that is like that of all who ask for no more than the object.
    func start(
        _ framing: ResponseFraming, sharing shared: SharedHead, isFollowed: Bool, _ head: () -> ResponseHead
    ) {
        guard !isHeld, !origin.access.cors.allowOrigin(for: nil).varies else {
            return wire.start(head(), framing)
        }
        var isCounted = false
        wire.start(sharing: shared, unixTime: origin.unixTime, framing, isFollowed: isFollowed) {
            isCounted = true
            return head()
        }
        if !isCounted { origin.metrics.count(route, status: 200) }
    }

    private func join(_ group: ReaderGroup) {
        origin.viewers.wrappingAdd(1, ordering: .relaxed)
        group.add(self, on: wire.eventLoop)
    }

    func leave(_ group: ReaderGroup) {
        origin.viewers.wrappingSubtract(1, ordering: .relaxed)
        group.remove(self, on: wire.eventLoop)
    }

    // MARK: Waiting for a part

    private func awaitPart(of object: GrowingObject, _ group: ReaderGroup, _ awaited: Awaited) {
        self.object = object
        phase = .awaiting(group, awaited)
        join(group)
        pump(group)
    }

    private func answerAwaited(_ group: ReaderGroup, _ awaited: Awaited) {
        switch (group.condition, awaited) {
        case (.aborted, _):
            leave(group)
            phase = .begun
            answerMissing()
        case (.complete, _):
            leave(group)
            phase = .begun
            if let key { serve(key) }
        case (.waiting, .range(let first, let through)):
            let count = group.byteCount
            guard count > (through ?? first) else { return }
            guard let object else { return }
            leave(group)
            let last = through ?? count - 1
            var head = growingHead(of: object, .partialContent)
            head.add("Content-Range", "bytes \(first)-\(last)/*")
            head.add("Content-Length", "\(last - first + 1)")
            wire.start(head, .length)
            phase = .sending(group.payload(first...last)[...])
            resume()
        case (.waiting, .end): break
        }
    }

    /// What is waited for did not come, and nothing is sent yet: the reader may ask again.
    func answerUnmet(_ group: ReaderGroup) {
        origin.metrics.count(OriginMetrics.Cut.held)
        leave(group)
        phase = .begun
        answer(.serviceUnavailable, text: "the object is not there in time\n", cache: .error, retryAfter: 1)
    }

    // MARK: Moving on

    /// The object has news.
    func pump(_ group: ReaderGroup) {
        switch phase {
        case .following: resume()
        case .awaiting(_, let awaited): answerAwaited(group, awaited)
        default: break
        }
    }

    /// Moves the response on as far as the wire takes it.
    ///
    /// A call that comes while this runs, because a flush made the wire writable again, is left to it.
    func resume() {
        guard !isResuming else { return }
        isResuming = true
        defer { isResuming = false }
        repeat {
            switch phase {
            case .following(let group): guard feed(group) else { return }
            case .sending(let parts): send(parts)
            case .begun, .uploading, .finishing, .awaiting, .holding, .ended: return
            }
        } while wire.isWritable
    }

    /// Sends what there is of the object; false where its reader has all of that.
    private func feed(_ group: ReaderGroup) -> Bool {
        while cursor < group.chunks.count, wire.isWritable {
            if cursor == 0 { recordAge(origin.metrics.firstByteAge, since: group.startedAt) }
            let chunk = group.chunks[cursor]
            cursor += 1
            let isFollowed = cursor < group.chunks.count || group.condition == .complete
            if skipped == 0 { wire.send(chunk, isFollowed: isFollowed) } else { sendUnskipped(chunk) }
        }
        guard cursor == group.chunks.count, group.condition != .waiting else {
            wire.flush()
            return cursor < group.chunks.count
        }
        leave(group)
        if group.condition == .aborted || skipped > 0 {
            phase = .begun
            wire.flush()
            cut(.aborted)
            return false
        }
        recordAge(origin.metrics.lastByteAge, since: group.completedAt)
        end()
        return false
    }

    /// A chunk of which the start, or all, lies before the asked range.
    private func sendUnskipped(_ chunk: ObjectChunk) {
        let count = min(skipped, chunk.payload.readableBytes)
        skipped -= count
        if let rest = chunk.payload.getSlice(
            at: chunk.payload.readerIndex + count, length: chunk.payload.readableBytes - count), rest.readableBytes > 0
        {
            wire.send(ObjectChunk(payload: rest), isFollowed: false)
        }
    }

    private func send(_ parts: ArraySlice<BodyPart>) {
        var parts = parts
        phase = .begun
        while wire.isWritable, let first = parts.indices.first {
            let count = parts[first].count
            wire.send(&parts[first])
            if case .ended = phase { return }
            // Its bytes cannot be read.
            guard parts[first].count < count else { return cut(.aborted) }
            lastProgress = .now()
            if parts[first].count == 0 { parts.removeFirst() }
        }
        guard parts.isEmpty else {
            phase = .sending(parts)
            request = Self.answered
            return wire.flush()
        }
        end()
    }

    func recordAge(_ age: Timer, since moment: NIODeadline?) {
        guard let moment else { return }
        age.recordNanoseconds((.now() - moment).nanoseconds)
    }
}

extension ReaderGroup {
    /// The payload from the first to the last of these offsets, which must be there.
    func payload(_ offsets: ClosedRange<Int>) -> [BodyPart] {
        var start = 0
        return chunks.compactMap { chunk in
            let bytes = chunk.payload
            defer { start += bytes.readableBytes }
            let part = Range(offsets).clamped(to: start..<start + bytes.readableBytes)
            guard !part.isEmpty else { return nil }
            return BodyPart(.bytes(bytes), part.lowerBound - start..<part.upperBound - start)
        }
    }
}
