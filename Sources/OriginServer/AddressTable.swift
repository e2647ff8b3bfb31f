package import NIOCore
import Synchronization

/// What each peer address takes of the origin: its connections, and its requests in error.
///
/// The table is bounded. When it is full, an address of which nothing is to be remembered gives way to a new one; where
/// none is found among those looked at, all unknown addresses share one entry until there is room.
package struct AddressTable {
    package struct Limits: Sendable, Equatable {
        /// Open connections of one address; nil for any number.
        package var connections: Int?
        /// Requests in error of one address in the long run; ten seconds' worth may come at once. Nil for any number.
        package var errorsPerSecond: Int?
        /// Addresses that are told apart.
        package var addresses = 65_536

        package init(connections: Int? = nil, errorsPerSecond: Int? = nil) {
            self.connections = connections
            self.errorsPerSecond = errorsPerSecond
        }
    }

    private struct Entry {
        var address: PeerAddress?
        var connections = 0
        var errors = TokenBucket()

        func isForgettable(now: NIODeadline) -> Bool { connections == 0 && errors.isFull(now: now) }
    }

    /// How many entries are looked at for one that may go.
    private static let probes = 64

    private let limits: Limits
    /// The first is that of all unknown addresses.
    private var entries = [Entry()]
    private var places: [PeerAddress: Int] = [:]
    private var hand = 0

    package init(limits: Limits) { self.limits = limits }

    /// Addresses that are told apart now.
    package var count: Int { places.count }

    /// A connection of an address was opened.
    /// - Returns: false where the address has too many; the connection is not counted then.
    package mutating func opened(_ address: PeerAddress, now: NIODeadline) -> Bool {
        let place = place(of: address, now: now)
        if let limit = limits.connections, entries[place].connections >= limit { return false }
        entries[place].connections += 1
        return true
    }

    /// A connection that was counted is closed.
    ///
    /// One that was opened while the table was full may be taken off the address's own entry, and the other way round:
    /// in the sum they come out even.
    package mutating func closed(_ address: PeerAddress) {
        let place = places[address].flatMap { entries[$0].connections > 0 ? $0 : nil } ?? 0
        entries[place].connections = max(0, entries[place].connections - 1)
    }

    /// A request of an address was in error.
    /// - Returns: false where there were too many in the last time.
    package mutating func erred(_ address: PeerAddress, now: NIODeadline) -> Bool {
        guard let rate = limits.errorsPerSecond else { return true }
        let place = place(of: address, now: now)
        return entries[place].errors.take(ratePerSecond: rate, burst: 10 * rate, now: now)
    }

    private mutating func place(of address: PeerAddress, now: NIODeadline) -> Int {
        if let place = places[address] { return place }
        guard let place = freePlace(now: now) else { return 0 }
        if let former = entries[place].address { places[former] = nil }
        entries[place] = Entry(address: address)
        places[address] = place
        return place
    }

    private mutating func freePlace(now: NIODeadline) -> Int? {
        let known = entries.count - 1
        if known < limits.addresses {
            entries.append(Entry())
            return known + 1
        }
        for _ in 0..<min(Self.probes, known) {
            hand = hand % known + 1
            if entries[hand].isForgettable(now: now) { return hand }
        }
        return nil
    }
}

/// An ``AddressTable`` for all event loops.
package final class SharedAddressTable: Sendable {
    private let table: Mutex<AddressTable>

    package init(limits: AddressTable.Limits) { table = Mutex(AddressTable(limits: limits)) }

    package func opened(_ address: PeerAddress, now: NIODeadline) -> Bool {
        table.withLock { $0.opened(address, now: now) }
    }

    package func closed(_ address: PeerAddress) { table.withLock { $0.closed(address) } }

    package func erred(_ address: PeerAddress, now: NIODeadline) -> Bool {
        table.withLock { $0.erred(address, now: now) }
    }
}
