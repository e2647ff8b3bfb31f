import NIOCore
import OriginStore
import Synchronization

/// All open connections, each on its event loop, so that they can be counted, and told of time and of the origin's end.
final class ConnectionSet: Sendable {
    /// The connections of one event loop.
    private struct Doors {
        var open: [ObjectIdentifier: ConnectionDoor] = [:]
        /// Those whose peer has gone, to be closed in turn.
        var leaving: CircularBuffer<ConnectionDoor> = []
        /// Those that wait for their turn, by ``Turn``.
        var waiting = Turn.allCases.map { _ in CircularBuffer<ConnectionDoor>() }
        /// Whether the next turn is due.
        var takesTurns = false
        /// When the time is over in this round of the sockets that are ready.
        var roundEnd: NIODeadline?
    }

    /// How long those who ask may be served in one round of the sockets that are ready, counted from the first of them,
    /// and how long those of one kind in one turn, after which there is a round. Who is being served then is served.
    private static let turnTime = TimeAmount.milliseconds(4)

    /// Who goes before whom of those for whom there was no time when they came.
    enum Turn: Int, CaseIterable {
        /// Who asks for little at a time.
        case modest
        case handshake
        /// Who asks for much at a time: one in each turn.
        case greedy
    }

    private let limit: Int
    /// Of `limit`, what readers leave to publishers.
    private let reserve: Int
    private let doors: [ObjectIdentifier: NIOLoopBoundBox<Doors>]
    private let open = Atomic<Int>(0)
    private let draining = Atomic<Bool>(false)
    private let emptied = Mutex<EventLoopPromise<Void>?>(nil)

    init(limit: Int, reserve: Int, eventLoops: some Sequence<any EventLoop>) {
        self.limit = limit
        self.reserve = reserve
        doors = Dictionary(
            uniqueKeysWithValues: eventLoops.map {
                (ObjectIdentifier($0), .makeBoxSendingValue(Doors(), eventLoop: $0))
            })
    }

    var count: Int { open.load(ordering: .relaxed) }

    var isDraining: Bool { draining.load(ordering: .relaxed) }

    /// Takes in a connection of the event loop this runs on; false where there are too many.
    func insert(_ door: ConnectionDoor, on eventLoop: any EventLoop) -> Bool {
        let limit = door.listener.mayPublish ? limit : limit - reserve
        guard open.wrappingAdd(1, ordering: .relaxed).newValue <= limit,
            let box = doors[ObjectIdentifier(eventLoop)]
        else {
            left()
            return false
        }
        box.value.open[ObjectIdentifier(door)] = door
        return true
    }

    func remove(_ door: ConnectionDoor, on eventLoop: any EventLoop) {
        doors[ObjectIdentifier(eventLoop)]?.value.open[ObjectIdentifier(door)] = nil
        left()
    }

    /// Closes a connection of the event loop this runs on after those that wait for it already, a few at a time: it takes
    /// longer than to serve one, and thousands of peers may go at once.
    func closeSoon(_ door: ConnectionDoor, on eventLoop: any EventLoop) {
        guard let box = doors[ObjectIdentifier(eventLoop)] else { return door.close() }
        box.value.leaving.append(door)
        if box.value.leaving.count == 1 { eventLoop.execute { Self.closeSome(box) } }
    }

    private static func closeSome(_ box: NIOLoopBoundBox<Doors>) {
        for _ in 0..<min(box.value.leaving.count, 64) { box.value.leaving.removeFirst().close() }
        if !box.value.leaving.isEmpty { box.eventLoop.scheduleTask(in: .milliseconds(1)) { closeSome(box) } }
    }

    /// Whether there is time to serve a connection of the event loop this runs on as soon as it is read.
    func hasTime(on eventLoop: any EventLoop) -> Bool {
        guard let box = doors[ObjectIdentifier(eventLoop)] else { return true }
        let now = NIODeadline.now()
        if let end = box.value.roundEnd { return now < end }
        box.value.roundEnd = now + Self.turnTime
        // It runs when all sockets have been seen to.
        eventLoop.execute { box.value.roundEnd = nil }
        return true
    }

    /// Has a connection of the event loop this runs on take its turn after those that wait for it already.
    func wait(_ door: ConnectionDoor, as turn: Turn, on eventLoop: any EventLoop) {
        guard let box = doors[ObjectIdentifier(eventLoop)] else { return door.close() }
        box.value.waiting[turn.rawValue].append(door)
        Self.takeTurns(box)
    }

    /// Between turns connections are served.
    private static func takeTurns(_ box: NIOLoopBoundBox<Doors>) {
        guard !box.value.takesTurns, box.value.waiting.contains(where: { !$0.isEmpty }) else { return }
        box.value.takesTurns = true
        box.eventLoop.scheduleTask(in: .milliseconds(1)) {
            for turn in Turn.allCases {
                let end = NIODeadline.now() + turnTime
                while let door = box.value.waiting[turn.rawValue].popFirst() {
                    guard door.isOpen else { continue }
                    door.takeTurn()
                    if turn == .greedy || .now() >= end { break }
                }
            }
            box.value.takesTurns = false
            takeTurns(box)
        }
    }

    private func left() {
        guard open.wrappingSubtract(1, ordering: .sequentiallyConsistent).newValue == 0, isDraining else { return }
        complete()
    }

    private func complete() {
        emptied.withLock { promise in
            promise?.succeed()
            promise = nil
        }
    }

    /// Lets connections of each event loop see to their deadlines, until the loop ends.
    func keepTime(each interval: TimeAmount) {
        for box in doors.values {
            box.eventLoop.scheduleRepeatedAsyncTask(initialDelay: interval, delay: interval) { _ in
                let now = NIODeadline.now()
                // Many deadlines at once are not to keep readers waiting.
                return box.eventLoop.inTurns(of: 128, Array(box.value.open.values)[...]) { $0.timePassed(now: now) }
            }
        }
    }

    /// Tells every connection to end when it has done what it is doing, and waits until all have, or the time is over;
    /// what is left then is closed.
    func drain(within limit: TimeAmount, on eventLoop: any EventLoop) async throws {
        let promise = eventLoop.makePromise(of: Void.self)
        emptied.withLock { $0 = promise }
        draining.store(true, ordering: .sequentiallyConsistent)
        try await forEach { $0.drain() }
        if open.load(ordering: .sequentiallyConsistent) == 0 { complete() }
        let timer = eventLoop.scheduleTask(in: limit) { self.complete() }
        try await promise.futureResult.get()
        timer.cancel()
        try await forEach { $0.close() }
    }

    private func forEach(_ body: @escaping @Sendable (ConnectionDoor) -> Void) async throws {
        for box in doors.values {
            try await box.eventLoop.submit { for door in box.value.open.values { body(door) } }.get()
        }
    }
}
