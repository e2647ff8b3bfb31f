import Logging
import NIOCore
import NIOHTTP1
import OriginStore

/// One request and its response, the same over either version of HTTP.
///
/// It is also the viewer of a growing object: a cursor into its event loop's list of chunks, moved on by
/// ``pump(_:)`` when the object grows or the wire takes more. What it sends are bytes shared with every other viewer.
final class Exchange: ObjectReader {
    enum Phase {
        /// Nothing is under way: the request has just come, or its answer is being written.
        case begun
        /// Taking an upload; `pending` are bytes of this read that are not in the store yet.
        case uploading(ObjectUpload, pending: ByteBuffer?)
        /// An upload has ended, and its large body is being put away.
        case finishing
        /// Serving an object that grows, from chunk `cursor` on.
        case following(ReaderGroup)
        /// Waiting, with nothing sent, for as much of a growing object as the request needs.
        case awaiting(ReaderGroup, Awaited)
        /// Waiting, with nothing sent, for any object at this path.
        case holding(UInt64)
        /// Sending what is all there: the parts left.
        case sending(ArraySlice<BodyPart>)
        case ended
    }

    /// What of a growing object a request needs to be answered at all.
    enum Awaited {
        /// An HTTP/1.0 client, which knows no chunks, waits for the end.
        case end
        /// A range, until all of it is there: `through` nil takes what there is when its first byte is.
        case range(from: Int, through: Int?)
    }

    let origin: OriginContext
    let listener: ListenerRole
    let peer: PeerAddress?
    /// Its fields are let go of once its response has begun and does not end at once.
    var request: HTTPRequestHead
    /// It lets go of the exchange when that has ended.
    let wire: any ExchangeWire
    /// Nil where the request's path is no object's.
    var key: ObjectKey?
    var phase = Phase.begun
    var route = RouteClass.other
    /// The media object that is being read; held until the end, so that its bytes stay in the store's memory account.
    var object: GrowingObject?
    var slot = 0
    /// How many of the growing object's chunks have been sent.
    var cursor = 0
    /// How many bytes of the growing object are to be left out before the first that is sent.
    var skipped = 0
    /// What ``cursor`` was when the time was last looked at.
    private var cursorThen = 0
    /// When bytes last moved in the direction the exchange waits for; of an object that is followed, about.
    var lastProgress = NIODeadline.now()
    /// Bytes of an upload since they last counted as progress.
    var receivedBytes = 0
    /// When the store let go of the object that is being read.
    var goneSince: NIODeadline?
    /// Whether it has waited for its object.
    var isHeld = false
    var isResuming = false
    let began = NIODeadline.now()

    init(
        _ request: HTTPRequestHead, origin: OriginContext, listener: ListenerRole, peer: PeerAddress?,
        wire: any ExchangeWire
    ) {
        self.request = request
        self.origin = origin
        self.listener = listener
        self.peer = peer
        self.wire = wire
    }

    /// What is put into the store at a time: as a chunk it fills its memory.
    static let chunkBytes = (64 << 10) - 8

    var isHead: Bool { request.method == .HEAD }

    // MARK: The request

    /// Takes up the request; what is written is to be flushed by the caller.
    func begin() {
        let key: ObjectKey
        do throws(ObjectKeyError) {
            key = try ObjectKey(requestTarget: request.uri)
        } catch {
            if request.method == .OPTIONS, request.uri == "*" { return answerOptions() }
            return refuse(error == .tooLong ? .uriTooLong : .badRequest, .path, reason: error.reason)
        }
        self.key = key
        switch request.method {
        case .GET where listener.mayRead, .HEAD where listener.mayRead:
            if isReadable(key) { serve(key) }
        case .OPTIONS: answerOptions()
        case .PUT where listener.mayPublish, .POST where listener.mayPublish:
            route = .upload
            if isWritable(key) { open(key) }
        case .DELETE where listener.mayPublish:
            route = .delete
            if isWritable(key) { remove(key) }
        default: refuse(.methodNotAllowed, .method, reason: "\(listener.allowedMethods) are served here")
        }
    }

    func receive(_ bytes: ByteBuffer) {
        guard case .uploading(_, let held) = phase else { return }
        if let held, held.readableBytes + bytes.readableBytes > Self.chunkBytes { appendPending() }
        guard case .uploading(let upload, pending: var pending) = phase else { return }
        phase = .begun
        if pending == nil { pending = bytes } else { pending?.writeImmutableBuffer(bytes) }
        phase = .uploading(upload, pending: pending)
    }

    /// All that one read brought is here.
    func receiveComplete() {
        appendPending()
    }

    func receiveEnd() {
        appendPending()
        if case .uploading = phase { finishUpload() }
    }

    // MARK: Ends

    /// The response is written; what is left of it to be flushed is flushed.
    func end() {
        if case .ended = phase { return }
        phase = .ended
        lastProgress = .now()
        wire.end()
        wire.flush()
    }

    /// Ends the response so that no reader or cache takes it for whole.
    func cut(_ reason: OriginMetrics.Cut) {
        if case .ended = phase { return }
        origin.metrics.count(reason)
        origin.logger.debug("reader cut", metadata: ["reason": "\(reason.rawValue)"])
        abandon()
        wire.cut()
    }

    /// The connection or stream is no good any more, or will be closed at once.
    func abandon() {
        switch phase {
        case .uploading: breakOffUpload()
        case .following(let group), .awaiting(let group, _): leave(group)
        case .holding(let id): release(id)
        case .begun, .finishing, .sending, .ended: break
        }
        phase = .ended
    }

    /// The origin is about to stop: what would only be waited for ends now.
    func drain() {
        switch phase {
        case .holding: answerUnheld()
        case .following(let group) where group.chunks.isEmpty: cut(.held)
        case .awaiting(let group, _) where group.chunks.isEmpty: answerUnmet(group)
        default: break
        }
    }

    // MARK: Deadlines

    /// How long until this exchange is overdue if nothing moves; zero or less when it is.
    func timeLeft(now: NIODeadline) -> TimeAmount {
        let limits = origin.configuration
        switch phase {
        case .begun, .uploading:
            return lastProgress + limits.uploadTimeout - now
        case .finishing:
            return limits.uploadTimeout
        case .following(let group):
            if isGone(now: now) { return .zero }
            if group.chunks.isEmpty { return lastProgress + limits.store.holdLimit - now }
            if cursor == group.chunks.count || cursor != cursorThen { lastProgress = now }
            cursorThen = cursor
            return lastProgress + limits.stallLimit - now
        case .awaiting(let group, _):
            if !group.chunks.isEmpty { lastProgress = now }
            return lastProgress + limits.store.holdLimit - now
        case .holding:
            return began + limits.holdMissing - now
        case .sending:
            if isGone(now: now) { return .zero }
            return lastProgress + limits.stallLimit - now
        case .ended:
            return lastProgress + limits.stallLimit - now
        }
    }

    /// Whether the store let go of what is being read longer ago than a reader may stall, or has no room for it.
    private func isGone(now: NIODeadline) -> Bool {
        guard let object, object.isGone else { return false }
        if origin.store.isFull(for: object) { return true }
        if goneSince == nil { goneSince = now }
        return now - (goneSince ?? now) >= origin.configuration.stallLimit
    }

    /// The time is over.
    func expire() {
        switch phase {
        case .begun, .uploading:
            breakOffUpload()
            refuse(.requestTimeout, .slow, reason: "the request's body came too slowly")
        case .following(let group): cut(group.chunks.isEmpty ? .held : .stalled)
        case .awaiting(let group, _): answerUnmet(group)
        case .holding: answerUnheld()
        case .sending: cut(.stalled)
        case .finishing, .ended: break
        }
    }
}
