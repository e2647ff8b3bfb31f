import HTTPSemantics
import CoreMetrics
import NIOCore
import NIOHTTP1
import OriginAccess
import OriginStore

/// Objects that are whole, and those that are not there.
extension Exchange {
    /// Whether this request may read the object; it is answered where not.
    func isReadable(_ key: ObjectKey) -> Bool {
        guard let keys = origin.access.signingKeys else { return true }
        let query = request.uri.firstIndex(of: "?").map { request.uri[$0...].dropFirst() }
        let verdict = keys.verdict(
            query: query, cookies: request.headers["Cookie"], path: key.path, unixTime: origin.unixTime)
        guard let reason = verdict.refusal else { return true }
        refuse(.forbidden, .signature, reason: reason)
        return false
    }

    func serve(_ key: ObjectKey) {
        switch origin.store.find(key) {
        case .playlist(let playlist):
            let isMultivariant = playlist.kind == .multivariant
            route = isMultivariant ? .multivariant : .playlist
            serve(playlist)
        case .complete where wire.hasManyCopies:
            refuse(.serviceUnavailable, .copies, reason: "too much is on its way to slow readers")
        case .complete(let object, let stored, let body):
            route = mediaClass == .segment ? .segment : .initialization
            self.object = object
            serve(object, stored, body)
        case .growing(let object):
            route = mediaClass == .segment ? .segment : .initialization
            follow(object)
        case .missing:
            hold(key)
        }
    }

    /// What a media object is to the cache policy, by its name.
    var mediaClass: CachePolicy.Class {
        guard let key else { return .segment }
        return key.hasExtension("mp4") || key.hasExtension("init") ? .initialization : .segment
    }

    // MARK: Objects that are whole

    private func serve(_ playlist: StoredPlaylist) {
        var stored = playlist.head
        var body = playlist.body
        var coding: String?
        if ContentCoding.acceptsGzip(request.headers["Accept-Encoding"]),
            let compressed = playlist.compressed(Gzip.compressed)
        {
            body = compressed
            coding = "gzip"
            stored.entityTag = EntityTag.of(stored.entityTag, coding: "gzip")
        }
        let kind: CachePolicy.Class = playlist.kind == .multivariant ? .multivariant : .playlist
        let shared = coding == nil ? playlist.sharedHead : playlist.compressedHead
        serve(.bytes(body), stored, sharing: shared, codings: true) { head in
            self.addCacheFields(
                to: &head, kind, targetDuration: playlist.targetDuration, upstream: stored.cacheControl)
            if let coding, head.status != .notModified { head.add("Content-Encoding", coding) }
        }
    }

    private func serve(_ object: GrowingObject, _ stored: ObjectHead, _ body: ObjectBody) {
        serve(body, stored, sharing: object.sharedHead, codings: false) { head in
            self.addCacheFields(to: &head, self.mediaClass, upstream: stored.cacheControl)
        }
    }

    /// Whether the request has no conditions, and asks for no part.
    private var asksForNoMore: Bool {
        !request.headers.contains { name, _ in
            guard let first = name.utf8.first.map({ $0 | 0x20 }) else { return false }
            return first == UInt8(ascii: "i") || first == UInt8(ascii: "r") && name.lowercased() == "range"
        }
    }

    private func addBodyFields(to head: inout ResponseHead, _ stored: ObjectHead, contentType: String, length: Int) {
        head.add("Content-Type", contentType)
        head.add("Content-Length", "\(length)")
        head.add("Accept-Ranges", "bytes")
        if let time = stored.lastModified { head.add("Last-Modified", HTTPDate.text(unixTime: time)) }
    }

    /// Serves a whole object, or those ranges of it that the request asks for.
    /// - Parameters:
    ///   - shared: the head of those who ask for no more than the whole.
    ///   - codings: whether the object has more than one content coding.
    ///   - addFields: adds what is its own to a head.
    private func serve(
        _ body: ObjectBody, _ stored: ObjectHead, sharing shared: SharedHead, codings: Bool,
        _ addFields: (inout ResponseHead) -> Void
    ) {
        func begin(_ status: HTTPResponseStatus) -> ResponseHead {
            var head = self.head(status)
            head.add("ETag", stored.entityTag)
            addFields(&head)
            if codings { head.addVary("Accept-Encoding") }
            return head
        }
        let length = body.count
        if request.method == .GET, asksForNoMore, length > 0 {
            start(.length, sharing: shared, isFollowed: true) {
                var head = begin(.ok)
                addBodyFields(to: &head, stored, contentType: stored.contentType, length: length)
                return head
            }
            return send([BodyPart(body, 0..<length)])
        }
        let validators = Preconditions.Validators(entityTag: stored.entityTag, lastModified: stored.lastModified)
        switch Preconditions.evaluate(request.headers, validators, unixTime: origin.unixTime) {
        case .proceed: break
        case .notModified:
            wire.start(begin(.notModified), .none)
            return end()
        case .failed:
            return refuse(
                .preconditionFailed, .precondition, reason: "the object is not what the request's conditions ask for")
        }
        var head: ResponseHead
        var parts = [BodyPart(body, 0..<length)]
        var contentType = stored.contentType
        switch ranges(in: length, validators) {
        case nil:
            head = begin(.ok)
        case []?:
            head = begin(.rangeNotSatisfiable)
            head.add("Content-Range", "bytes */\(length)")
            parts = []
        case let ranges? where ranges.count == 1:
            head = begin(.partialContent)
            head.add("Content-Range", "bytes \(ranges[0].lowerBound)-\(ranges[0].upperBound - 1)/\(length)")
            parts = [BodyPart(body, ranges[0])]
        case let ranges?:
            let multipart = MultipartRanges(ranges, of: body, contentType: stored.contentType)
            // Parts with their heads may cost more than the whole (`RFC 9110 §14.2`).
            guard multipart.parts.reduce(0, { $0 + $1.count }) < length else {
                head = begin(.ok)
                break
            }
            head = begin(.partialContent)
            contentType = multipart.contentType
            parts = multipart.parts
        }
        addBodyFields(to: &head, stored, contentType: contentType, length: parts.reduce(0) { $0 + $1.count })
        send(head, isHead ? [] : parts)
    }

    /// Sends a head and what follows it.
    private func send(_ head: ResponseHead, _ parts: [BodyPart]) {
        let parts = parts.filter { $0.count > 0 }
        guard !parts.isEmpty else {
            wire.start(head, .none)
            return end()
        }
        wire.start(head, .length)
        send(parts)
    }

    private func send(_ parts: [BodyPart]) {
        if case .segment = route { recordAge(origin.metrics.firstByteAge, since: object?.startedAt) }
        phase = .sending(parts[...])
        resume()
    }

    /// Ranges that one response has at most.
    private static var rangeLimit: Int { 16 }

    /// The ranges to send: nil for the whole object, none where what is asked for is not in it.
    private func ranges(in length: Int, _ validators: Preconditions.Validators) -> [Range<Int>]? {
        guard request.method == .GET, let header = request.headers.first(name: "Range"),
            let ranges = ByteRanges(header: header),
            Preconditions.rangeHolds(request.headers, validators, unixTime: origin.unixTime)
        else { return nil }
        let resolved = ranges.resolved(length: length)
        return resolved.count > Self.rangeLimit ? nil : resolved
    }

    // MARK: Objects that are not there

    /// Waits for an object to come, if the origin is to; else says that there is none.
    private func hold(_ key: ObjectKey) {
        let limit = origin.configuration.holdMissing
        guard !isHeld, limit > .zero, !origin.isDraining else { return answerMissing() }
        let bound = NIOLoopBound(self, eventLoop: wire.eventLoop)
        switch origin.store.wait(for: key, on: wire.eventLoop, { bound.value.arrived() }) {
        case .present: serve(key)
        case .full:
            origin.metrics.count(.holds)
            answerMissing()
        case .waiting(let id):
            phase = .holding(id)
            isHeld = true
            origin.metrics.holds.increment()
        }
    }

    /// Something came to the path that is waited for.
    private func arrived() {
        guard case .holding = phase, let key else { return }
        phase = .begun
        // What came may be gone already.
        serve(key)
    }

    /// Nothing came in time.
    func answerUnheld() {
        guard case .holding(let id) = phase else { return }
        release(id)
        phase = .begun
        answerMissing()
    }

    func release(_ id: UInt64) {
        if let key { origin.store.cancelWait(id, for: key) }
    }

    func answerMissing() {
        route = .missing
        answerError(.notFound, text: "there is no such object\n")
    }
}

extension SignatureVerdict {
    /// What to tell the reader; nil where it may read.
    fileprivate var refusal: String? {
        switch self {
        case .valid: nil
        case .missing: "reading this needs a signed URL"
        case .expired: "the URL's signature has expired"
        case .invalid: "the URL's signature is not valid for this path"
        }
    }
}
