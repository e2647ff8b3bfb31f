import HTTPSemantics
import CoreMetrics
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import OriginAccess
import OriginStore

/// PUT, POST and DELETE.
extension Exchange {
    /// Whether this request may write the object; it is answered where not.
    func isWritable(_ key: ObjectKey) -> Bool {
        guard let tokens = origin.access.publishTokens else { return true }
        switch tokens.admission(authorization: request.headers.first(name: "Authorization"), path: key.path) {
        case .granted: return true
        case .unauthorized:
            refuse(.unauthorized, .token, reason: "uploads need a publish token: Authorization: Bearer TOKEN")
        case .forbidden:
            refuse(.forbidden, .token, reason: "this publish token is not for this path")
        }
        return false
    }

    /// Whether the version that is there is the one the request is for (`RFC 9110 §13.1`); it is answered where not.
    private func holds(for key: ObjectKey) -> Bool {
        let names = ["If-Match", "If-None-Match", "If-Unmodified-Since"]
        guard names.contains(where: { request.headers.contains(name: $0) }) else { return true }
        let outcome: Preconditions.Outcome
        switch origin.store.find(key) {
        case .playlist(let playlist): outcome = evaluate(playlist.head)
        case .complete(_, let stored, _): outcome = evaluate(stored)
        case .growing(let object) where !object.isAnnounced && request.headers.first(name: "If-None-Match") == "*":
            outcome = .failed
        case .growing, .missing: outcome = request.headers.contains(name: "If-Match") ? .failed : .proceed
        }
        if outcome == .proceed { return true }
        refuse(.preconditionFailed, .precondition, reason: "the object is not what the request's conditions ask for")
        return false
    }

    private func evaluate(_ stored: ObjectHead) -> Preconditions.Outcome {
        let validators = Preconditions.Validators(entityTag: stored.entityTag, lastModified: stored.lastModified)
        var headers = request.headers
        headers.remove(name: "If-Modified-Since")
        return Preconditions.evaluate(headers, validators, unixTime: origin.unixTime)
    }

    func open(_ key: ObjectKey) {
        guard holds(for: key) else { return }
        if let (status, reason) = unsupported { return refuse(status, .malformed, reason: reason) }
        if let error = excess(for: key) { return refuse(error) }
        // A header value is passed on to readers: a long one would cost more than it is worth.
        let cacheControl = request.headers.first(name: "Cache-Control").flatMap { $0.utf8.count <= 256 ? $0 : nil }
        let head = ObjectHead(
            contentType: contentType(of: key), cacheControl: cacheControl, entityTag: origin.nextEntityTag())
        do throws(UploadError) {
            phase = .uploading(try origin.store.open(key, head: head, epoch: try epoch(), now: .now()), pending: nil)
        } catch {
            return refuse(error)
        }
        wire.expectBody()
        if request.headers["Expect"].contains(where: { $0.lowercased() == "100-continue" }) { wire.continueRequest() }
    }

    /// Why a body of the length that is told cannot be taken: nothing of its stream is to go for it in vain.
    private func excess(for key: ObjectKey) -> UploadError? {
        guard let text = request.headers.first(name: "Content-Length") else { return nil }
        let length = Int(text) ?? .max
        let store = origin.configuration.store
        if length > store.limitBytes(for: key) { return .tooLarge(limitBytes: store.limitBytes(for: key)) }
        return length > store.streamShareBytes ? .streamOutOfMemory(limitBytes: store.streamShareBytes) : nil
    }

    /// Why the body would not be what its bytes are; nil where it is.
    private var unsupported: (HTTPResponseStatus, String)? {
        let headers = request.headers
        if headers[canonicalForm: "Content-Encoding"].contains(where: { $0.lowercased() != "identity" }) {
            return (.unsupportedMediaType, "objects are taken without content coding")
        }
        return headers.contains(name: "Content-Range") ? (.badRequest, "objects are taken whole") : nil
    }

    private func epoch() throws(UploadError) -> UInt64? {
        guard let text = request.headers.first(name: "Headwater-Epoch") else { return nil }
        // One from far in the future would lock every later publisher out.
        guard let epoch = UInt64(text), epoch <= UInt64(max(0, origin.unixTime) + 60) * 1_000 else { throw .badEpoch }
        return epoch
    }

    /// What the uploader says, unless that is nothing or says nothing (`DASH-IF Ingest §2`).
    private func contentType(of key: ObjectKey) -> String {
        let named = request.headers.first(name: "Content-Type") ?? ""
        let generic = ["", "application/octet-stream", "application/x-www-form-urlencoded"]
        if generic.contains(named.lowercased()) || named.utf8.count > 128 {
            return ObjectHead.contentType(fileExtension: key.fileExtension)
        }
        return named
    }

    /// Puts what this read brought into the store, as one chunk.
    func appendPending() {
        guard case .uploading(var upload, pending: let pending?) = phase else { return }
        phase = .begun
        noteProgress(pending.readableBytes)
        origin.metrics.receivedBytes.increment(by: pending.readableBytes)
        var rest = pending
        do throws(UploadError) {
            while let bytes = rest.readSlice(length: min(rest.readableBytes, Self.chunkBytes)), bytes.readableBytes > 0
            {
                try origin.store.append(bytes, to: &upload, now: .now())
            }
            phase = .uploading(upload, pending: nil)
        } catch {
            breakOff(upload)
            refuse(error)
        }
    }

    /// A trickle is no progress: it would hold an upload open for ever.
    private func noteProgress(_ count: Int) {
        receivedBytes += count
        guard receivedBytes >= origin.configuration.uploadProgressBytes else { return }
        receivedBytes = 0
        lastProgress = .now()
    }

    func finishUpload() {
        guard case .uploading(let upload, _) = phase else { return }
        phase = .finishing
        let finish = { @Sendable [origin] in
            Result { () throws(UploadError) in
                try origin.store.finish(upload, now: .now(), unixTime: origin.unixTime)
            }
        }
        guard upload.receivedBytes > Self.quickBytes else { return finished(finish()) }
        let bound = NIOLoopBound(self, eventLoop: wire.eventLoop)
        NIOThreadPool.singleton.runIfActive(eventLoop: wire.eventLoop, finish).whenComplete { result in
            bound.value.finished((try? result.get()) ?? .failure(.superseded))
        }
    }

    /// A body that is put away in a few milliseconds. Viewers of this event loop do not wait for larger ones.
    private static let quickBytes = 4 << 20

    private func finished(_ result: Result<ObjectStore.Outcome, UploadError>) {
        // The peer may have gone meanwhile.
        guard case .finishing = phase else { return }
        phase = .begun
        switch result {
        case .success(.created): answer(.created)
        case .success(.replaced): answer(.noContent)
        case .failure(let error): refuse(error)
        }
    }

    /// The upload will not come to its end: what came of it is kept for the resume window.
    func breakOffUpload() {
        guard case .uploading(var upload, let pending) = phase else { return }
        phase = .begun
        if let pending {
            // What the store will not have now would not have been of use later either.
            try? origin.store.append(pending, to: &upload, now: .now())
        }
        breakOff(upload)
    }

    private func breakOff(_ upload: ObjectUpload) {
        origin.metrics.brokenUploads.increment()
        origin.logSparingly("upload broke off", ["path": "\(upload.key.path)"])
        origin.store.breakOff(upload, now: .now())
    }

    func remove(_ key: ObjectKey) {
        guard holds(for: key) else { return }
        do throws(UploadError) {
            if try origin.store.remove(key, epoch: try epoch(), now: .now()) { answer(.ok) } else { answerMissing() }
        } catch {
            refuse(error)
        }
    }

    private func refuse(_ error: UploadError) {
        switch error {
        case .badEpoch: refuse(.badRequest, .malformed, reason: error.reason)
        case .olderEpoch: refuse(.conflict, .epoch, reason: error.reason)
        case .tooLarge: refuse(.payloadTooLarge, .size, reason: error.reason)
        case .outOfMemory, .streamOutOfMemory: refuse(.insufficientStorage, .memory, reason: error.reason)
        case .tooManyObjects: refuse(.insufficientStorage, .objects, reason: error.reason)
        case .playlistRefused: refuse(.badRequest, .playlist, reason: error.reason)
        case .superseded: refuse(.preconditionFailed, .superseded, reason: error.reason)
        }
    }
}
