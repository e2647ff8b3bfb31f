import Synchronization

/// What producers hand to a thread.
enum UploadCommand: Sendable {
    /// Sends a body while it grows.
    case open(GrowingBody)
    /// Sends a finished body whole, in place of an older one of the same path.
    case put(GrowingBody)
    /// Deletes an object where a destination keeps files.
    case remove(ObjectPath)
    /// Ends the thread once finished bodies are delivered, or at the instant.
    case shutdown(ContinuousClock.Instant)
}

/// The way into a thread: one lock, and an event that is signalled only when the thread may be asleep.
final class Mailbox: Sendable {
    struct Contents: Sendable {
        var commands: [UploadCommand] = []
        /// Bodies with news, each at most once.
        var bodies: [GrowingBody] = []

        var isEmpty: Bool { commands.isEmpty && bodies.isEmpty }

        mutating func removeAll() {
            commands.removeAll(keepingCapacity: true)
            bodies.removeAll(keepingCapacity: true)
        }
    }

    private struct State {
        var contents = Contents()
        /// Whether the thread is awake and will look again, or has been told to.
        var isAwake = true
        var isClosed = false
    }

    /// What a body knows this mailbox by; a single bit.
    let bit: UInt8
    let event: Event
    private let limit: Int
    private let state = Mutex(State())

    /// `limit` is the number of commands that may wait, at least 1.
    init(bit: UInt8, limit: Int) throws(UploadError) {
        self.bit = bit
        self.limit = limit
        event = try Event()
    }

    /// False when the thread has ended or is too far behind: the command is not taken. A shutdown always is.
    func post(_ command: UploadCommand) -> Bool {
        let (taken, wake) = state.withLock { state -> (Bool, Bool) in
            guard !state.isClosed else { return (false, false) }
            if state.contents.commands.count >= limit {
                guard case .shutdown = command else { return (false, false) }
            }
            state.contents.commands.append(command)
            defer { state.isAwake = true }
            return (true, !state.isAwake)
        }
        if wake { event.signal() }
        return taken
    }

    func announce(_ body: GrowingBody) {
        let wake = state.withLock { state in
            guard !state.isClosed else { return false }
            state.contents.bodies.append(body)
            defer { state.isAwake = true }
            return !state.isAwake
        }
        if wake { event.signal() }
    }

    /// Exchanges everything in it for an emptied `contents`, whose memory it goes on with. The thread calls this when
    /// it is awake, and nobody needs to signal it until `mayWait`.
    func take(_ contents: inout Contents) {
        contents.removeAll()
        state.withLock { state in
            state.isAwake = true
            swap(&state.contents, &contents)
        }
    }

    /// Whether the thread may wait for the event: false when something has come meanwhile.
    func mayWait() -> Bool {
        state.withLock { state in
            state.isAwake = !state.contents.isEmpty
            return !state.isAwake
        }
    }

    func close() {
        state.withLock { state in
            state.isClosed = true
            state.contents = Contents()
        }
    }
}
