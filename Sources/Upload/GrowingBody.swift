package import NIOCore
import Synchronization

/// An object's bytes, kept once for all destinations and sent while they are still being appended.
///
/// Any thread may call it. Pieces never change once appended, so that each destination can read, and read again, from
/// byte 0 with a cursor of its own.
///
/// | phase | entered when | destinations |
/// |---|---|---|
/// | open | made | send what there is, then wait |
/// | finished | `finish()` | send the rest and the end |
/// | abandoned | `abandon()`, or longer than its limit | cut the request without an end |
/// | expired | `Uploader.expire(_:)` | give up what is not delivered |
package final class GrowingBody: Sendable {
    enum Phase: Sendable {
        case open, finished, abandoned, expired
    }

    /// A destination's place in the bytes.
    struct Cursor {
        var position = 0
        var piece = 0
        var offset = 0
    }

    struct State {
        var pieces: [ByteBuffer] = []
        var count = 0
        var phase = Phase.open
        /// One bit for each mailbox in which the body already lies.
        var announced: UInt8 = 0
        /// One bit for each mailbox whose thread may still read.
        var readers: UInt8
    }

    package let path: String
    /// Nil for a path that may not be sent; such a body goes nowhere.
    let objectPath: ObjectPath?
    package let contentType: String
    package let epoch: PublishEpoch
    let id: UInt64
    private let limitBytes: Int
    private let mailboxes: [Mailbox]
    let state: Mutex<State>

    init(
        id: UInt64, path: String, contentType: String, epoch: PublishEpoch, limitBytes: Int, mailboxes: [Mailbox],
        whole: ByteBuffer? = nil
    ) {
        self.id = id
        self.path = path
        objectPath = ObjectPath(path)
        self.contentType = contentType
        self.epoch = epoch
        self.limitBytes = limitBytes
        self.mailboxes = mailboxes
        var state = State(readers: mailboxes.reduce(0) { $0 | $1.bit })
        if let whole {
            if whole.readableBytes > 0 { state.pieces = [whole] }
            state.count = whole.readableBytes
            state.phase = .finished
        }
        self.state = Mutex(state)
    }

    /// Bytes appended so far.
    package var count: Int { state.withLock { $0.count } }

    /// Bytes kept in memory for destinations that may still read them.
    package var heldBytes: Int { state.withLock { $0.pieces.reduce(0) { $0 + $1.readableBytes } } }

    /// Whether every destination is done with it.
    package var isReleased: Bool { state.withLock { $0.readers == 0 } }

    /// Whether bytes are still taken.
    package var isOpen: Bool { state.withLock { $0.phase == .open } }

    /// Adds bytes to the end; they go out at once. Without effect once the body is no longer open.
    package func append(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0 else { return }
        change { state in
            guard state.phase == .open else { return false }
            guard bytes.readableBytes <= limitBytes - state.count else {
                state.phase = .abandoned
                state.pieces = []
                return true
            }
            state.count += bytes.readableBytes
            if state.readers != 0 { state.pieces.append(bytes) }
            return true
        }
    }

    /// Says that all bytes are there.
    package func finish() {
        change { state in
            guard state.phase == .open else { return false }
            state.phase = .finished
            return true
        }
    }

    /// Gives the object up: no destination will take it for complete. Without effect on a finished one.
    package func abandon() {
        change { state in
            guard state.phase == .open else { return false }
            state.phase = .abandoned
            state.pieces = []
            return true
        }
    }

    func expire() {
        change { state in
            guard state.phase != .expired else { return false }
            state.phase = .expired
            state.pieces = []
            return true
        }
    }

    /// Makes a change and tells the threads that do not yet know of one.
    private func change(_ body: (inout State) -> Bool) {
        let unaware = state.withLock { state -> UInt8 in
            guard body(&state) else { return 0 }
            let unaware = state.readers & ~state.announced
            state.announced |= unaware
            return unaware
        }
        guard unaware != 0 else { return }
        for mailbox in mailboxes where unaware & mailbox.bit != 0 { mailbox.announce(self) }
    }
}

extension GrowingBody {
    /// Says that a thread has taken the body out of its mailbox, and gives its phase.
    func noticed(by reader: UInt8) -> Phase {
        state.withLock { state in
            state.announced &= ~reader
            return state.phase
        }
    }

    /// Puts the body into a mailbox once more, for what its thread left for later.
    func announceAgain(to mailbox: Mailbox) {
        let isUnaware = state.withLock { state in
            defer { state.announced |= mailbox.bit }
            return state.announced & mailbox.bit == 0
        }
        if isUnaware { mailbox.announce(self) }
    }

    var phase: Phase { state.withLock { $0.phase } }

    /// Says that a thread will read no more; the bytes are released with the last one.
    func release(by reader: UInt8) {
        state.withLock { state in
            state.readers &= ~reader
            if state.readers == 0 { state.pieces = [] }
        }
    }
}
