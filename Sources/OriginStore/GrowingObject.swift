package import NIOCore
import Synchronization

/// A media object that readers follow while it is written.
///
/// Bytes are held as shared chunks while it grows and as one contiguous buffer once complete. An append wakes
/// each event loop that has readers at most once; the loop's ``ReaderGroup`` then feeds its own readers, so
/// the cost of a writer does not depend on how many there are.
package final class GrowingObject: Sendable {
    package let key: ObjectKey
    /// Counts into the store's memory.
    private let memory: MemoryAccount
    private let state: Mutex<State>

    struct State: ~Copyable {
        var life = ObjectLife()
        var head: ObjectHead
        var chunks: [ObjectChunk] = []
        var byteCount = 0
        var body: ByteBuffer?
        var groups: [Waker] = []
        var uploads = 0
        /// What the account was charged for chunks; readers may hold them after the object is complete.
        var chunkCharge = 0
    }

    /// What an object takes in the store besides its path and its bytes, about.
    static let overheadBytes = 512

    /// One event loop's readers, and whether it has already been told of news.
    struct Waker {
        let group: NIOLoopBound<ReaderGroup>
        let eventLoop: any EventLoop
        var isWoken = false
    }

    /// What a reader sees of the object at one instant.
    package enum Condition: Sendable, Equatable {
        case waiting
        case complete
        case aborted
    }

    init(key: ObjectKey, head: ObjectHead, memory: MemoryAccount) {
        self.key = key
        self.memory = memory
        self.state = Mutex(State(head: head))
        memory.charge(Self.overheadBytes + key.path.utf8.count)
    }

    deinit {
        let payload = state.withLock { $0.chunkCharge + ($0.body?.readableBytes ?? 0) }
        memory.release(Self.overheadBytes + key.path.utf8.count + payload)
    }

    package var head: ObjectHead { state.withLock { $0.head } }

    /// The whole body once complete, else nil.
    package var completeBody: ByteBuffer? { state.withLock { $0.body } }

    /// Payload bytes held.
    var byteCount: Int { state.withLock { $0.byteCount } }

    /// Whether the object was announced and no upload has begun.
    var isAnnounced: Bool { state.withLock { $0.life.state == .announced } }

    var isAborted: Bool { state.withLock { $0.life.state == .aborted } }

    var isComplete: Bool { state.withLock { $0.life.state == .complete } }

    // MARK: Writing

    /// Takes a new upload; nil where this object takes none any more and another must replace it.
    func open(head: ObjectHead) -> ObjectUpload.Position? {
        state.withLock { state in
            state.uploads += 1
            switch state.life.uploadOpened(state.uploads) {
            case .write:
                state.head = head
                return ObjectUpload.Position(upload: state.uploads)
            case .verifyThenWrite:
                return ObjectUpload.Position(upload: state.uploads)
            case .replace:
                return nil
            }
        }
    }

    enum AppendResult: Equatable {
        case taken
        /// A newer upload has taken over, or the object was given up.
        case refused
        /// The bytes are not those held already: the object is given up. With it come the bytes both have.
        case differs(common: ByteBuffer)
    }

    func append(_ bytes: ByteBuffer, at position: inout ObjectUpload.Position) -> AppendResult {
        guard bytes.readableBytes > 0 else { return .taken }
        var fresh = bytes
        let result = state.withLock { state -> AppendResult in
            guard state.life.isWriting(position.upload) else { return .refused }
            if position.verified < state.byteCount {
                let common = position.verified
                guard state.matches(&fresh, at: &position) else {
                    _ = state.life.abandoned()
                    return .differs(common: state.joined(limit: common))
                }
                guard fresh.readableBytes > 0 else { return .taken }
            }
            let chunk = ObjectChunk(payload: fresh)
            let cost = chunk.framed.storageCapacity + ObjectChunk.overheadBytes
            memory.charge(cost)
            state.chunkCharge += cost
            state.chunks.append(chunk)
            state.byteCount += fresh.readableBytes
            position.verified += fresh.readableBytes
            return .taken
        }
        // A repeat that brought nothing new is no news.
        if result == .taken ? fresh.readableBytes > 0 : result != .refused { wake() }
        return result
    }

    enum FinishResult: Equatable {
        case finished
        /// A newer upload has taken over, or the object was given up.
        case refused
        /// A repeat that is whole and shorter than what is held: the object is given up. With it comes the repeat.
        case shorter(ByteBuffer)
    }

    func finish(_ position: ObjectUpload.Position, lastModified: Int) -> FinishResult {
        let result = state.withLock { state -> FinishResult in
            guard state.life.isWriting(position.upload) else { return .refused }
            guard position.verified == state.byteCount else {
                _ = state.life.abandoned()
                return .shorter(state.joined(limit: position.verified))
            }
            _ = state.life.uploadEnded(position.upload)
            state.body = state.joined(limit: state.byteCount)
            memory.charge(state.byteCount)
            state.chunks = []
            if state.groups.isEmpty { state.releaseChunks(memory) }
            state.head.lastModified = lastModified
            return .finished
        }
        if result != .refused { wake() }
        return result
    }

    func breakOff(_ position: ObjectUpload.Position, now: NIODeadline) -> Bool {
        state.withLock { $0.life.uploadBrokeOff(position.upload, now: now) }
    }

    /// Gives the object up: readers are cut without a clean end.
    func abandon() -> Bool {
        let cut = state.withLock { $0.life.abandoned() }
        if cut { wake() }
        return cut
    }

    func timePassed(now: NIODeadline, resumeWindow: TimeAmount) -> Bool {
        let cut = state.withLock { $0.life.timePassed(now: now, resumeWindow: resumeWindow) }
        if cut { wake() }
        return cut
    }

    // MARK: Reading

    /// The group of this loop's readers, made when the first one comes. Call it on that event loop.
    package func readers(on eventLoop: any EventLoop) -> ReaderGroup {
        let existing = state.withLock { state in
            state.groups.first { $0.eventLoop === eventLoop }?.group
        }
        if let existing { return existing.value }
        let group = ReaderGroup(object: self)
        let bound = NIOLoopBound(group, eventLoop: eventLoop)
        state.withLock { $0.groups.append(Waker(group: bound, eventLoop: eventLoop)) }
        return group
    }

    /// The last reader of this event loop has gone. Call it on that event loop.
    func forget(_ eventLoop: any EventLoop) {
        state.withLock { state in
            state.groups.removeAll { $0.eventLoop === eventLoop }
            if state.groups.isEmpty, state.body != nil { state.releaseChunks(memory) }
        }
    }

    /// Appends what came after the first `chunks.count` chunks and tells the object's condition; rearms the wake-up.
    func catchUp(_ chunks: inout [ObjectChunk], on eventLoop: any EventLoop) -> Condition {
        state.withLock { state in
            if let index = state.groups.firstIndex(where: { $0.eventLoop === eventLoop }) {
                state.groups[index].isWoken = false
            }
            if let body = state.body {
                let held = chunks.reduce(0) { $0 + $1.payload.readableBytes }
                if let rest = body.getSlice(at: body.readerIndex + held, length: body.readableBytes - held),
                    rest.readableBytes > 0
                {
                    chunks.append(ObjectChunk(payload: rest))
                }
                return .complete
            }
            if chunks.count < state.chunks.count { chunks.append(contentsOf: state.chunks[chunks.count...]) }
            return state.life.state == .aborted ? .aborted : .waiting
        }
    }

    private func wake() {
        let sleeping = state.withLock { state -> [Waker] in
            var sleeping: [Waker] = []
            for index in state.groups.indices where !state.groups[index].isWoken {
                state.groups[index].isWoken = true
                sleeping.append(state.groups[index])
            }
            return sleeping
        }
        for waker in sleeping {
            let group = waker.group
            let eventLoop = waker.eventLoop
            eventLoop.execute { group.value.pump(on: eventLoop) }
        }
    }
}

extension GrowingObject.State {
    /// Compares the start of `bytes` with what is held from `position` on, and moves both past what is the same;
    /// false where they differ.
    func matches(_ bytes: inout ByteBuffer, at position: inout ObjectUpload.Position) -> Bool {
        while position.chunk < chunks.count, bytes.readableBytes > 0 {
            let held = chunks[position.chunk].payload
            let count = min(held.readableBytes - position.chunkOffset, bytes.readableBytes)
            let expected = held.getSlice(at: held.readerIndex + position.chunkOffset, length: count)
            guard bytes.readSlice(length: count) == expected else { return false }
            position.verified += count
            position.chunkOffset += count
            if position.chunkOffset == held.readableBytes {
                position.chunk += 1
                position.chunkOffset = 0
            }
        }
        return true
    }

    mutating func releaseChunks(_ memory: MemoryAccount) {
        memory.release(chunkCharge)
        chunkCharge = 0
    }

    func joined(limit: Int) -> ByteBuffer {
        var whole = ByteBufferAllocator().buffer(capacity: limit)
        for chunk in chunks where whole.readableBytes < limit {
            whole.writeImmutableBuffer(
                chunk.payload.getSlice(
                    at: chunk.payload.readerIndex,
                    length: min(chunk.payload.readableBytes, limit - whole.readableBytes)) ?? ByteBuffer())
        }
        return whole
    }
}
