package import NIOCore
package import OriginStore

/// Decides what is written and removed, and when: the data directory's thread asks for the next step, does it, and tells
/// how it went.
///
/// | state | entered when | does | next |
/// |---|---|---|---|
/// | working | start; a probe succeeded | makes the changes in their order | degraded; ended |
/// | degraded | a step failed | takes no writes, turns those that wait into removals; probes after a delay | working; ended |
/// | ended | told to stop, and nothing is left to do or to hope for | takes nothing | |
///
/// A key whose newest version is not going to be written has no older one left on disk: it is removed. What is dropped
/// or removed before it was written costs nothing where nothing of it is on disk.
///
/// Changes are made in rounds: while one is made, new changes gather for the next, where a newer version takes the
/// older one's place at the end. So a playlist is written after the segments it lists, and yet gets its turn where it
/// changes faster than the disk writes.
package struct WriteBehind: ~Copyable {
    package struct Limits {
        /// Bytes that may wait to be written; a single object may be larger.
        let bytes: Int
        /// Objects that may wait to be written.
        let objects: Int
        /// Whether folders are synchronised.
        let isSynchronised: Bool

        package init(bytes: Int, objects: Int, isSynchronised: Bool) {
            self.bytes = bytes
            self.objects = objects
            self.isSynchronised = isSynchronised
        }
    }

    package enum Step: Equatable, Sendable {
        case write(StoredObject)
        case remove(ObjectKey)
        /// Have the disk take the names of the changes since the last time.
        case synchronise
        /// See whether a file of this size can be written.
        case probe(bytes: Int)
        /// Time is up: call ``giveUp()``.
        case giveUp
        /// Wait until the moment, or a wake-up.
        case wait(until: NIODeadline?)
        case end
    }

    package enum Refusal: Equatable, Sendable {
        case full
        case degraded
        case stopped
    }

    package struct Failure: Equatable, Sendable {
        /// Whether writing worked until now.
        let isFirst: Bool
        /// Objects that are not going to be written.
        let dropped: Int

        package init(isFirst: Bool, dropped: Int) {
            self.isFirst = isFirst
            self.dropped = dropped
        }
    }

    private enum State {
        case working
        case degraded(retryAt: NIODeadline, removalsFail: Bool)
        case ended
    }

    private enum Doing {
        case write(ObjectKey, bytes: Int)
        case remove(ObjectKey)
        case synchronise
        case probe
    }

    private let limits: Limits
    private var state = State.working
    /// The round that is made.
    private var current = ChangeList()
    /// The round that gathers.
    private var gathering = ChangeList()
    /// Every key that may have a file.
    private var present: Set<ObjectKey> = []
    /// Whether any other key may have one too.
    private var isAnyPresent = false
    private var doing: Doing?
    private var retryDelay = RetryDelay()
    private var probeBytes = Self.smallestProbeBytes
    private var unsynchronised = 0
    private var stopAt: NIODeadline?
    /// Whether the thread waits, and has not been woken.
    private(set) var isWaiting = false

    /// Changes made before their folders are synchronised together.
    private static let synchroniseLimit = 64
    private static let smallestProbeBytes = 64 << 10
    /// One huge object does not keep all others waiting for as much room.
    private static let largestProbeBytes = 16 << 20

    package init(limits: Limits) { self.limits = limits }

    /// Bytes that wait to be written, those being written included.
    package var queuedBytes: Int {
        var bytes = current.bytes + gathering.bytes
        if case .write(_, let writing) = doing { bytes += writing }
        return bytes
    }

    package var queuedObjects: Int { current.writes + gathering.writes }

    var hasEnded: Bool { if case .ended = state { true } else { false } }

    // MARK: What happens to the store

    /// Files that were found at the start.
    package mutating func found(_ key: ObjectKey) { present.insert(key) }

    /// There are files of which nothing is known.
    package mutating func foundUnreadable() { isAnyPresent = true }

    /// A new version of an object; tells why it is not taken.
    package mutating func stored(_ object: StoredObject) -> Refusal? {
        switch state {
        case .ended:
            return .stopped
        case .degraded:
            forget(object.key)
            return .degraded
        case .working:
            let change = ChangeList.Change.write(object)
            gathering.cancel(object.key)
            // Where there is no room for both, an older version whose turn has come gives way.
            if !hasRoom(for: change) { current.cancel(object.key) }
            guard hasRoom(for: change) else {
                forget(object.key)
                return .full
            }
            gathering.append(change, for: object.key)
            return nil
        }
    }

    private func hasRoom(for change: ChangeList.Change) -> Bool {
        let others = queuedBytes
        return others == 0 || (change.bytes <= limits.bytes - others && queuedObjects < limits.objects)
    }

    /// Nothing has the key any more.
    package mutating func removed(_ key: ObjectKey) {
        if case .ended = state { return }
        forget(key)
    }

    /// What waits is to be written by the deadline, and then no more.
    package mutating func stop(by deadline: NIODeadline) { stopAt = min(stopAt ?? deadline, deadline) }

    /// Whether the thread is to be woken; asked after each of the above.
    package mutating func wakes() -> Bool {
        defer { isWaiting = false }
        return isWaiting
    }

    /// Nothing of the key is to stay on disk.
    private mutating func forget(_ key: ObjectKey) {
        current.cancel(key)
        gathering.cancel(key)
        if isAnyPresent || present.contains(key) { gathering.append(.remove(key), for: key) }
    }

    private mutating func dropWrites() -> Int {
        let keys = current.cancelWrites() + gathering.cancelWrites()
        for key in keys { forget(key) }
        return keys.count
    }

    // MARK: What the thread does

    package mutating func next(now: NIODeadline) -> Step {
        if let stopAt, now >= stopAt, queuedObjects > 0 { return .giveUp }
        switch state {
        case .working:
            if unsynchronised < Self.synchroniseLimit, let change = popFirst() { return begin(change) }
            return synchronise() ?? rest(until: nil)
        case .degraded(let retryAt, let removalsFail):
            if stopAt == nil, now >= retryAt {
                doing = .probe
                return .probe(bytes: probeBytes)
            }
            if !removalsFail {
                if let change = popFirst() { return begin(change) }
                if let step = synchronise() { return step }
            }
            return rest(until: retryAt)
        case .ended:
            return .end
        }
    }

    private mutating func popFirst() -> ChangeList.Change? {
        if let change = current.popFirst() { return change }
        swap(&current, &gathering)
        return current.popFirst()
    }

    private mutating func begin(_ change: ChangeList.Change) -> Step {
        switch change {
        case .write(let object):
            doing = .write(object.key, bytes: change.bytes)
            present.insert(object.key)
            return .write(object)
        case .remove(let key):
            doing = .remove(key)
            return .remove(key)
        }
    }

    private mutating func synchronise() -> Step? {
        guard unsynchronised > 0 else { return nil }
        doing = .synchronise
        return .synchronise
    }

    private mutating func rest(until deadline: NIODeadline?) -> Step {
        guard stopAt == nil else {
            state = .ended
            return .end
        }
        isWaiting = true
        return .wait(until: deadline)
    }

    /// The step was done; true where this shows that writing works again.
    package mutating func succeeded(now: NIODeadline) -> Bool {
        switch doing.take() {
        case .write:
            noteChange()
        case .remove(let key):
            noteChange()
            present.remove(key)
        case .synchronise:
            unsynchronised = 0
        case .probe:
            retryDelay.recovered(now: now)
            state = .working
            return true
        case nil:
            break
        }
        return false
    }

    private mutating func noteChange() {
        if limits.isSynchronised { unsynchronised += 1 }
    }

    /// The object cannot be written as it is, by no fault of the disk.
    package mutating func refused() {
        guard case .write(let key, _) = doing.take(), gathering[key] == nil else { return }
        forget(key)
    }

    /// The step failed.
    package mutating func failed(now: NIODeadline) -> Failure {
        let failed = doing.take()
        if case .probe = failed {
            // Removals get another chance as well.
            state = .degraded(retryAt: retryDelay.failedAgain(now: now), removalsFail: false)
            return Failure(isFirst: false, dropped: 0)
        }
        var dropped = 0
        if case .write(let key, let bytes) = failed {
            probeBytes = min(max(bytes, Self.smallestProbeBytes), Self.largestProbeBytes)
            dropped += 1
            // A newer version is dropped below.
            if gathering[key] == nil { forget(key) }
        }
        dropped += dropWrites()
        if case .remove(let key) = failed { forget(key) }
        let removalsFail = if case .write = failed { false } else { true }
        switch state {
        case .degraded(let retryAt, let failedBefore):
            state = .degraded(retryAt: retryAt, removalsFail: failedBefore || removalsFail)
            return Failure(isFirst: false, dropped: dropped)
        case .working, .ended:
            state = .degraded(retryAt: retryDelay.failed(now: now), removalsFail: removalsFail)
            return Failure(isFirst: true, dropped: dropped)
        }
    }

    /// Drops what still waits to be written; tells how many objects.
    package mutating func giveUp() -> Int { dropWrites() }
}
