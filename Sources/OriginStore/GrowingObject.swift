import MemoryFile
package import NIOCore
import Synchronization

/// A media object that readers follow while it is written.
///
/// Bytes are held as shared chunks while it grows and as one body once complete. An append wakes each event loop that
/// has readers at most once; the loop's ``ReaderGroup`` then feeds its own readers, so the cost of a writer does not
/// depend on how many there are.
package final class GrowingObject: Sendable {
    package let key: ObjectKey
    package let sharedHead = SharedHead()
    /// Its stream's account.
    let memory: MemoryAccount
    private let state: Mutex<State>
    private let isLetGo = Atomic<Bool>(false)
    /// What it took when it was let go of, in bytes.
    private let leavingBytes = Atomic<Int>(0)

    struct State: ~Copyable {
        var life = ObjectLife()
        var head: ObjectHead
        /// They stay after its end for as long as there are groups of readers.
        var chunks: [ObjectChunk] = []
        var byteCount = 0
        var body: ObjectBody?
        var groups: [Waker] = []
        var uploads = 0
        /// What the account was charged for the chunks.
        var chunkCharge = 0
        var startedAt: NIODeadline?
        var completedAt: NIODeadline?
    }

    /// What an object takes in the store besides its path and its bytes, about.
    static let overheadBytes = 832

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

    /// One that is complete from the beginning.
    convenience init(restoring stored: StoredObject, in file: MemoryFile?, memory: MemoryAccount) {
        self.init(key: stored.key, head: stored.head, memory: memory)
        let body =
            switch stored.body {
            case .bytes(let bytes): ObjectBody([bytes], in: file)
            case .extent: stored.body
            }
        memory.charge(body.heldBytes)
        state.withLock { state in
            state.uploads = 1
            _ = state.life.uploadOpened(1)
            _ = state.life.uploadEnded(1)
            state.body = body
            state.byteCount = body.count
        }
    }

    deinit {
        memory.release(heldBytes)
        memory.leave(-leavingBytes.load(ordering: .relaxed))
    }

    /// What it takes of the account.
    private var heldBytes: Int {
        Self.overheadBytes + key.path.utf8.count
            + state.withLock { $0.chunkCharge + ($0.body?.heldBytes ?? 0) }
    }

    package var head: ObjectHead { state.withLock { $0.head } }

    /// The whole body once complete, else nil.
    package var completeBody: ObjectBody? { state.withLock { $0.body } }

    /// Whether the store has let go of it: it is expired, removed, replaced or given up. Readers that have it keep it
    /// and its memory for as long as they like.
    package var isGone: Bool { isLetGo.load(ordering: .relaxed) }

    func letGo() {
        isLetGo.store(true, ordering: .relaxed)
        let count = heldBytes
        leavingBytes.store(count, ordering: .relaxed)
        memory.leave(count)
    }

    /// When its first byte came; nil before that, and for what was restored.
    package var startedAt: NIODeadline? { state.withLock { $0.startedAt } }

    /// When its upload ended; nil before that, and for what was restored.
    package var completedAt: NIODeadline? { state.withLock { $0.completedAt } }

    /// Payload bytes held.
    package var byteCount: Int { state.withLock { $0.byteCount } }

    /// Whether the object was announced and no upload has begun.
    package var isAnnounced: Bool { state.withLock { $0.life.state == .announced } }

    var isAborted: Bool { state.withLock { $0.life.state == .aborted } }

    package var phase: ObjectPhase { state.withLock { $0.life.phase } }

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

    func append(
        _ bytes: ByteBuffer, at position: inout ObjectUpload.Position, now: NIODeadline
    ) -> AppendResult {
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
            if state.byteCount == 0 { state.startedAt = now }
            state.append(fresh, memory)
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

    /// - Parameter file: where the body is kept; nil for the process's own memory.
    func finish(
        _ position: ObjectUpload.Position, in file: MemoryFile?, now: NIODeadline, lastModified: Int
    ) -> FinishResult {
        let (ending, pieces) = state.withLock { state -> (FinishResult, [ByteBuffer]) in
            guard state.life.isWriting(position.upload) else { return (.refused, []) }
            guard position.verified == state.byteCount else {
                _ = state.life.abandoned()
                return (.shorter(state.joined(limit: position.verified)), [])
            }
            return (.finished, state.chunks.map(\.payload))
        }
        guard ending == .finished else {
            if ending != .refused { wake() }
            return ending
        }
        // Readers of what is there already do not wait for this.
        let body = ObjectBody(pieces, in: file)
        let isFinished = state.withLock { state in
            guard state.life.uploadEnded(position.upload) else { return false }
            memory.charge(body.heldBytes)
            state.body = body
            if state.groups.isEmpty { state.releaseChunks(memory) }
            state.head.lastModified = lastModified
            state.completedAt = now
            return true
        }
        guard isFinished else { return .refused }
        wake()
        return .finished
    }

    func breakOff(_ position: ObjectUpload.Position, now: NIODeadline) -> Bool {
        state.withLock { $0.life.uploadBrokeOff(position.upload, now: now) }
    }

    /// Gives the object up unless it is complete: readers are cut without a clean end.
    func abandon() {
        let isAborted = state.withLock { state in
            _ = state.life.abandoned()
            return state.life.state == .aborted
        }
        if isAborted { wake() }
    }

    /// True when the object is to be given up, which its readers learn by ``abandon()``.
    func timePassed(now: NIODeadline, resumeWindow: TimeAmount) -> Bool {
        state.withLock { $0.life.timePassed(now: now, resumeWindow: resumeWindow) }
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

    /// What a loop's group learns when it catches up.
    struct News {
        var condition: Condition
        var startedAt: NIODeadline?
        var completedAt: NIODeadline?
    }

    /// Appends what came after the first `chunks.count` chunks and tells the object's condition; rearms the wake-up.
    func catchUp(_ chunks: inout [ObjectChunk], on eventLoop: any EventLoop) -> News {
        state.withLock { state in
            var news = News(condition: .waiting, startedAt: state.startedAt, completedAt: state.completedAt)
            if let index = state.groups.firstIndex(where: { $0.eventLoop === eventLoop }) {
                state.groups[index].isWoken = false
            }
            if let body = state.body {
                // Where no group has readers any more, the chunks are gone.
                if state.chunks.isEmpty, body.count > 0 {
                    if let bytes = body.wholeBytes { state.append(bytes, memory) }
                }
                // Never a clean end without all bytes.
                news.condition = state.chunks.isEmpty && body.count > 0 ? .aborted : .complete
            } else if state.life.state == .aborted {
                news.condition = .aborted
            }
            if chunks.count < state.chunks.count { chunks.append(contentsOf: state.chunks[chunks.count...]) }
            return news
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
