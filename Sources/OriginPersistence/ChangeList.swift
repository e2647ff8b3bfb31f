import NIOCore
package import OriginStore

/// Changes to what is on disk, in the order they are to be made, at most one for each key: the newest.
package struct ChangeList {
    package enum Change: Equatable, Sendable {
        case write(StoredObject)
        case remove(ObjectKey)

        /// What it counts against the queue's limit; a removal does not.
        var bytes: Int {
            guard case .write(let object) = self else { return 0 }
            return object.body.count + Self.overheadBytes
        }

        /// What a waiting object takes besides its body, about.
        private static let overheadBytes = 512
    }

    private var changes: [ObjectKey: (number: Int, change: Change)] = [:]
    /// Keys by the number of their change; those of changes that were replaced or cancelled are passed over.
    private var order: [(number: Int, key: ObjectKey)] = []
    private var first = 0
    private var nextNumber = 0
    /// What all its writes count.
    package private(set) var bytes = 0
    package private(set) var writes = 0

    package init() {}

    package var isEmpty: Bool { changes.isEmpty }

    /// Entries kept for the order, outdated ones too.
    package var orderCount: Int { order.count }

    subscript(key: ObjectKey) -> Change? { changes[key]?.change }

    /// Puts a change last, in place of the key's older one.
    package mutating func append(_ change: Change, for key: ObjectKey) {
        cancel(key)
        changes[key] = (nextNumber, change)
        order.append((nextNumber, key))
        nextNumber += 1
        bytes += change.bytes
        if case .write = change { writes += 1 }
        compact()
    }

    mutating func cancel(_ key: ObjectKey) {
        guard let (_, change) = changes.removeValue(forKey: key) else { return }
        bytes -= change.bytes
        if case .write = change { writes -= 1 }
    }

    package mutating func popFirst() -> Change? {
        while first < order.count {
            let (number, key) = order[first]
            first += 1
            guard let (current, change) = changes[key], current == number else { continue }
            cancel(key)
            return change
        }
        order.removeAll(keepingCapacity: order.count < 1_024)
        first = 0
        return nil
    }

    /// Cancels all writes, and tells their keys.
    mutating func cancelWrites() -> [ObjectKey] {
        let keys = changes.compactMap { key, entry in
            if case .write = entry.change { key } else { nil }
        }
        for key in keys { cancel(key) }
        return keys
    }

    /// A key that changes again and again while nothing is popped must not make the order grow.
    private mutating func compact() {
        guard order.count - first > 2 * changes.count + 64 else { return }
        order = order[first...].filter { changes[$0.key]?.number == $0.number }
        first = 0
    }
}
