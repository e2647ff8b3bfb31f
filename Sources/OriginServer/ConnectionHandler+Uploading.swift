import CoreMetrics
import Logging
import NIOCore
import NIOHTTP1
import OriginStore

extension ConnectionHandler {
    func open(_ key: ObjectKey, _ request: HTTPRequestHead) {
        if let reason = unsupported(request) { return refuse(.notImplemented, .malformed, reason: reason) }
        let limit = origin.configuration.store.limitBytes(for: key)
        if let length = request.headers.first(name: "Content-Length"), (Int(length) ?? .max) > limit {
            return refuse(.tooLarge(limitBytes: limit))
        }
        // A header value is passed on to readers: a long one would cost more than it is worth.
        let cacheControl = request.headers.first(name: "Cache-Control").flatMap { $0.utf8.count <= 256 ? $0 : nil }
        let head = ObjectHead(
            contentType: contentType(request, key: key), cacheControl: cacheControl, entityTag: origin.nextEntityTag())
        do throws(UploadError) {
            let epoch = try epoch(request)
            exchange = .upload(try origin.store.open(key, head: head, epoch: epoch, now: .now()), pending: nil)
        } catch {
            return refuse(error)
        }
        let expectations = request.headers["Expect"]
        if request.version.minor > 0, expectations.contains(where: { $0.lowercased() == "100-continue" }) {
            write(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n"))
            flush()
        }
    }

    /// Why the body would not be what its bytes are; nil where it is.
    private func unsupported(_ request: HTTPRequestHead) -> String? {
        if request.headers[canonicalForm: "Transfer-Encoding"].contains(where: { $0.lowercased() != "chunked" }) {
            return "chunked is the only transfer coding taken"
        }
        if request.headers[canonicalForm: "Content-Encoding"].contains(where: { $0.lowercased() != "identity" }) {
            return "objects are taken without content coding"
        }
        return request.headers.contains(name: "Content-Range") ? "objects are taken whole" : nil
    }

    private func epoch(_ request: HTTPRequestHead) throws(UploadError) -> UInt64? {
        guard let text = request.headers.first(name: "Headwater-Epoch") else { return nil }
        // One from far in the future would lock every later publisher out.
        guard let epoch = UInt64(text), epoch <= UInt64(max(0, origin.unixTime) + 60) * 1_000 else { throw .badEpoch }
        return epoch
    }

    /// What the uploader says, unless that is nothing or says nothing (`DASH-IF Ingest §2`).
    private func contentType(_ request: HTTPRequestHead, key: ObjectKey) -> String {
        let named = request.headers.first(name: "Content-Type") ?? ""
        let generic = ["", "application/octet-stream", "application/x-www-form-urlencoded"]
        if generic.contains(named.lowercased()) || named.utf8.count > 128 {
            return ObjectHead.contentType(fileExtension: key.fileExtension)
        }
        return named
    }

    /// Puts what this read brought into the store, as one chunk.
    func appendPending() {
        guard case .upload(var upload, pending: let pending?) = exchange else { return }
        exchange = .idle
        lastProgress = .now()
        origin.metrics.receivedBytes.increment(by: pending.readableBytes)
        do throws(UploadError) {
            try origin.store.append(pending, to: &upload)
            exchange = .upload(upload, pending: nil)
        } catch {
            breakOff(upload)
            refuse(error)
        }
    }

    func finishUpload() {
        guard case .upload(let upload, _) = exchange else { return }
        exchange = .idle
        do throws(UploadError) {
            let outcome = try origin.store.finish(upload, now: .now(), unixTime: origin.unixTime)
            answer(outcome == .created ? .created : .noContent)
        } catch {
            refuse(error)
        }
    }

    /// The upload will not come to its end: what came of it is kept for the resume window.
    func breakOffUpload() {
        guard case .upload(var upload, let pending) = exchange else { return }
        exchange = .idle
        if let pending {
            // What the store will not have now would not have been of use later either.
            try? origin.store.append(pending, to: &upload)
        }
        breakOff(upload)
    }

    private func breakOff(_ upload: ObjectUpload) {
        origin.metrics.brokenUploads.increment()
        origin.logger.info("upload broke off", metadata: ["path": "\(upload.key.path)"])
        origin.store.breakOff(upload, now: .now())
    }

    func remove(_ key: ObjectKey, _ request: HTTPRequestHead) {
        do throws(UploadError) {
            if try origin.store.remove(key, epoch: try epoch(request), now: .now()) {
                answer(.ok)
            } else {
                answer(.notFound, text: "there is no such object\n", cache: .notFound)
            }
        } catch {
            refuse(error)
        }
    }

    private func refuse(_ error: UploadError) {
        switch error {
        case .badEpoch: refuse(.badRequest, .malformed, reason: error.reason)
        case .olderEpoch: refuse(.conflict, .epoch, reason: error.reason)
        case .tooLarge: refuse(.payloadTooLarge, .size, reason: error.reason)
        case .outOfMemory: refuse(.insufficientStorage, .memory, reason: error.reason)
        case .playlistRefused: refuse(.badRequest, .playlist, reason: error.reason)
        case .superseded: refuse(.preconditionFailed, .superseded, reason: error.reason)
        }
    }
}
