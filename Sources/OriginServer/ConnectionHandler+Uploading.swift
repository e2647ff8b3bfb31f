import CoreMetrics
import Logging
import NIOCore
import NIOHTTP1
import OriginStore

extension ConnectionHandler {
    func open(_ key: ObjectKey, _ request: HTTPRequestHead) {
        var epoch: UInt64?
        if let text = request.headers.first(name: "Headwater-Epoch") {
            epoch = UInt64(text)
            guard epoch != nil else {
                return refuse(.badRequest, .malformed, reason: "Headwater-Epoch must be a whole number")
            }
        }
        if let length = request.headers.first(name: "Content-Length").flatMap({ Int($0) }),
            length > origin.configuration.store.objectLimitBytes
        {
            return refuse(.tooLarge(limitBytes: origin.configuration.store.objectLimitBytes))
        }
        let head = ObjectHead(
            contentType: contentType(request, key: key), cacheControl: request.headers.first(name: "Cache-Control"),
            entityTag: origin.nextEntityTag())
        do throws(UploadError) {
            exchange = .upload(try origin.store.open(key, head: head, epoch: epoch, now: .now()), pending: nil)
        } catch {
            return refuse(error)
        }
        if request.headers["Expect"].contains(where: { $0.lowercased() == "100-continue" }) {
            write(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n"))
            flush()
        }
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
        do throws(UploadError) {
            let outcome = try origin.store.finish(upload, now: .now(), unixTime: origin.unixTime)
            exchange = .idle
            answer(outcome == .created ? .created : .noContent)
            endExchange()
        } catch {
            exchange = .idle
            refuse(error)
        }
    }

    func breakOff(_ upload: ObjectUpload) {
        origin.metrics.brokenUploads.increment()
        origin.logger.info("upload broke off", metadata: ["path": "\(upload.key.path)"])
        origin.store.breakOff(upload, now: .now())
    }

    func remove(_ key: ObjectKey) {
        let found = origin.store.remove(key)
        answer(found ? .ok : .notFound, text: found ? "" : "there is no such object\n", cache: found ? nil : .notFound)
        endExchange()
    }

    private func refuse(_ error: UploadError) {
        switch error {
        case .olderEpoch: refuse(.conflict, .epoch, reason: error.reason)
        case .tooLarge: refuse(.payloadTooLarge, .size, reason: error.reason)
        case .outOfMemory: refuse(.insufficientStorage, .memory, reason: error.reason)
        case .playlistRefused: refuse(.badRequest, .playlist, reason: error.reason)
        case .superseded: refuse(.preconditionFailed, .superseded, reason: error.reason)
        }
    }
}
