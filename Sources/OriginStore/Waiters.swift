package import NIOCore

/// Readers that wait for objects nobody has announced.
struct Waiters {
    struct Waiter: Sendable {
        let eventLoop: any EventLoop
        let arrived: @Sendable () -> Void
    }

    private var waiters: [ObjectKey: [UInt64: Waiter]] = [:]
    private(set) var count = 0
    private var last: UInt64 = 0

    mutating func add(_ waiter: Waiter, for key: ObjectKey) -> UInt64 {
        last += 1
        count += 1
        waiters[key, default: [:]][last] = waiter
        return last
    }

    mutating func remove(_ id: UInt64, for key: ObjectKey) {
        guard waiters[key]?.removeValue(forKey: id) != nil else { return }
        count -= 1
        if waiters[key]?.isEmpty == true { waiters[key] = nil }
    }

    /// All that wait for this key, who do so no longer.
    mutating func take(_ key: ObjectKey) -> [Waiter] {
        guard count > 0, let taken = waiters.removeValue(forKey: key) else { return [] }
        count -= taken.count
        return Array(taken.values)
    }

    /// Tells them, each event loop's together.
    static func wake(_ waiters: [Waiter]) {
        guard !waiters.isEmpty else { return }
        for group in Dictionary(grouping: waiters, by: { ObjectIdentifier($0.eventLoop) }).values {
            guard let eventLoop = group.first?.eventLoop else { continue }
            eventLoop.execute { eventLoop.inTurns(of: 512, group[...]) { $0.arrived() } }
        }
    }
}

extension ObjectStore {
    package enum WaitOutcome: Sendable, Equatable {
        /// The object is there already.
        case present
        /// The number under which it waits.
        case waiting(UInt64)
        /// As many wait as may.
        case full
    }

    /// Waits for an upload of this key to open, a playlist to announce it or, where it is a playlist, for it to be
    /// stored.
    /// - Parameter arrived: runs once, on the event loop, unless ``cancelWait(_:for:)`` comes first.
    package func wait(
        for key: ObjectKey, on eventLoop: any EventLoop, _ arrived: @escaping @Sendable () -> Void
    ) -> WaitOutcome {
        change { state in
            if state.playlists[key] != nil { return .present }
            if let object = state.objects[key]?.object, !object.isAborted { return .present }
            guard state.waiters.count < configuration.waiterLimit else { return .full }
            return .waiting(state.waiters.add(Waiters.Waiter(eventLoop: eventLoop, arrived: arrived), for: key))
        }
    }

    /// Ends a wait; it may be over already.
    package func cancelWait(_ id: UInt64, for key: ObjectKey) {
        change { $0.waiters.remove(id, for: key) }
    }
}
