import NIOCore
import NIOHTTP1
import OriginStore

extension ConnectionHandler: ObjectReader {
    /// Bytes given to the socket's queue at a time when all are there.
    private static var pieceBytes: Int { 128 << 10 }

    func serve(_ key: ObjectKey, _ request: HTTPRequestHead) {
        switch origin.store.find(key) {
        case .playlist(let playlist):
            let cache: CachePolicy.Class = playlist.kind == .multivariant ? .multivariant : .playlist
            serve(
                playlist.body, playlist.head, request,
                cache: origin.configuration.cache.header(
                    for: cache, targetDuration: playlist.targetDuration, upstream: playlist.head.cacheControl))
        case .complete(let head, let body):
            serve(body, head, request, cache: cacheHeader(key, head))
        case .growing(let object):
            follow(object, key, request)
        case .missing:
            answer(.notFound, text: "there is no such object\n", cache: .notFound)
        }
    }

    private func cacheHeader(_ key: ObjectKey, _ head: ObjectHead) -> String? {
        let isInitialization = ["init", "mp4"].contains(key.fileExtension)
        return origin.configuration.cache.header(
            for: isInitialization ? .initialization : .segment, upstream: head.cacheControl)
    }

    // MARK: Objects that are whole

    private func serve(_ body: ByteBuffer, _ head: ObjectHead, _ request: HTTPRequestHead, cache: String?) {
        var bytes = body
        var status = HTTPResponseStatus.ok
        var contentRange: String?
        let ifRange = request.headers.first(name: "If-Range")
        if EntityTag.isNamed(head.entityTag, in: request.headers["If-None-Match"]) {
            status = .notModified
        } else if let range = request.headers.first(name: "Range").flatMap({ ByteRange(header: $0) }),
            request.method == .GET, ifRange == nil || ifRange == head.entityTag
        {
            if let offsets = range.resolved(length: body.readableBytes) {
                status = .partialContent
                contentRange = "bytes \(offsets.lowerBound)-\(offsets.upperBound - 1)/\(body.readableBytes)"
                bytes = body.getSlice(at: body.readerIndex + offsets.lowerBound, length: offsets.count) ?? body
            } else {
                status = .rangeNotSatisfiable
                contentRange = "bytes */\(body.readableBytes)"
                bytes = ByteBuffer()
            }
        }
        var response = self.head(status)
        response.add("ETag", head.entityTag)
        if let cache { response.add("Cache-Control", cache) }
        if let contentRange { response.add("Content-Range", contentRange) }
        if status != .notModified {
            response.add("Content-Type", head.contentType)
            response.add("Content-Length", "\(bytes.readableBytes)")
            response.add("Accept-Ranges", "bytes")
            if let time = head.lastModified { response.add("Last-Modified", HTTPDate.text(unixTime: time)) }
        }
        write(response.finished())
        exchange = .sending(status == .notModified || request.method == .HEAD ? ByteBuffer() : bytes)
        resume()
    }

    // MARK: Objects that grow

    private func follow(_ object: GrowingObject, _ key: ObjectKey, _ request: HTTPRequestHead) {
        guard let context else { return }
        if request.version.minor == 0 {
            let group = object.readers(on: context.eventLoop)
            exchange = .awaiting(group, key, request)
            group.add(self, on: context.eventLoop)
            return pump(group)
        }
        guard request.method == .GET else {
            write(growingHead(of: object, key))
            endExchange()
            return flush()
        }
        let group = object.readers(on: context.eventLoop)
        exchange = .growing(group)
        cursor = 0
        group.add(self, on: context.eventLoop)
        put(sharedHead(group, object, key), isFollowed: !group.chunks.isEmpty)
        resume()
        flushQueued()
    }

    private func growingHead(of object: GrowingObject, _ key: ObjectKey) -> ByteBuffer {
        let head = object.head
        var response = self.head(.ok)
        response.add("Content-Type", head.contentType)
        if let cache = cacheHeader(key, head) { response.add("Cache-Control", cache) }
        response.add("Transfer-Encoding", "chunked")
        return response.finished()
    }

    /// A head like that of the readers that came in the same second: when a segment begins, all of them come at once.
    private func sharedHead(_ group: ReaderGroup, _ object: GrowingObject, _ key: ObjectKey) -> ByteBuffer {
        guard keepsAlive else { return growingHead(of: object, key) }
        let now = origin.unixTime
        if let head = group.head, head.unixTime == now {
            origin.metrics.count(status: 200)
            return head.bytes
        }
        let bytes = growingHead(of: object, key)
        group.head = (now, bytes)
        return bytes
    }

    /// The object has news.
    func pump(_ group: ReaderGroup) {
        switch exchange {
        case .growing:
            resume()
        case .awaiting(_, let key, let request) where group.condition != .waiting:
            if let context { group.remove(self, on: context.eventLoop) }
            exchange = .idle
            if group.condition == .complete { serve(key, request) } else { cut(.aborted) }
        default:
            break
        }
    }

    /// Moves the response on as far as the socket takes it.
    ///
    /// A call that comes while this runs, because a flush made the socket writable again or a pipelined request
    /// begins, is left to it.
    func resume() {
        guard !isResuming, let channel = context?.channel else { return }
        isResuming = true
        defer { isResuming = false }
        repeat {
            switch exchange {
            case .growing(let group): feed(group, channel)
            case .sending(let rest): send(rest, channel)
            case .idle, .upload, .awaiting, .closing: return
            }
        } while hasMore && channel.isWritable
    }

    private var hasMore: Bool {
        switch exchange {
        case .growing(let group): cursor < group.chunks.count || group.condition != .waiting
        case .sending: true
        case .idle, .upload, .awaiting, .closing: false
        }
    }

    private func feed(_ group: ReaderGroup, _ channel: any Channel) {
        guard let context else { return }
        let start = cursor
        while cursor < group.chunks.count, queuedWrites == 0 || channel.isWritable {
            put(group.chunks[cursor].framed, isFollowed: false)
            cursor += 1
        }
        if cursor > start { lastProgress = .now() }
        guard cursor == group.chunks.count, group.condition != .waiting else { return flushQueued() }
        group.remove(self, on: context.eventLoop)
        if group.condition == .aborted {
            flushQueued()
            return cut(.aborted)
        }
        put(ObjectChunk.last, isFollowed: false)
        endExchange()
        flushQueued()
    }

    /// Writes bytes to the socket itself if nothing is ahead of them, else behind what is queued.
    private func put(_ bytes: ByteBuffer, isFollowed: Bool) {
        guard queuedWrites == 0, let socket, context?.channel.isActive == true else { return write(bytes) }
        let sent = socket.send(bytes, isFollowed: isFollowed)
        guard sent < bytes.readableBytes else { return }
        write(bytes.getSlice(at: bytes.readerIndex + sent, length: bytes.readableBytes - sent) ?? ByteBuffer())
    }

    private func flushQueued() {
        if queuedWrites > 0 { flush() }
    }

    private func send(_ body: ByteBuffer, _ channel: any Channel) {
        var rest = body
        while channel.isWritable, rest.readableBytes > 0,
            let piece = rest.readSlice(length: min(Self.pieceBytes, rest.readableBytes))
        {
            write(piece)
            lastProgress = .now()
        }
        if rest.readableBytes > 0 { exchange = .sending(rest) } else { endExchange() }
        flush()
    }
}
