import NIOCore
import OriginServer
import Testing
import TestSupport

@Suite struct AddressTableTests {
    private static func peer(_ number: Int) -> PeerAddress { PeerAddress(ipv4: UInt32(number)) }

    private static func time(_ milliseconds: Int64) -> NIODeadline {
        .uptimeNanoseconds(0) + .milliseconds(milliseconds)
    }

    private static func table(
        connections: Int? = nil, errorsPerSecond: Int? = nil, addresses: Int = 65_536
    ) -> AddressTable {
        var limits = AddressTable.Limits(connections: connections, errorsPerSecond: errorsPerSecond)
        limits.addresses = addresses
        return AddressTable(limits: limits)
    }

    @Test func `an address has so many connections, and another as many`() {
        var table = Self.table(connections: 2)
        #expect(table.opened(Self.peer(1), now: Self.time(0)) == true)
        #expect(table.opened(Self.peer(1), now: Self.time(0)) == true)
        #expect(table.opened(Self.peer(1), now: Self.time(0)) == false)
        #expect(table.opened(Self.peer(2), now: Self.time(0)) == true)
        table.closed(Self.peer(1))
        #expect(table.opened(Self.peer(1), now: Self.time(0)) == true)
        #expect(table.opened(Self.peer(1), now: Self.time(0)) == false)
    }

    @Test func `ten seconds' worth of errors may come at once, then so many a second`() {
        var table = Self.table(errorsPerSecond: 5)
        let first = (0..<60).filter { _ in table.erred(Self.peer(1), now: Self.time(1_000)) }
        #expect(first.count == 50)
        #expect(table.erred(Self.peer(2), now: Self.time(1_000)) == true)
        let later = (0..<100).filter { table.erred(Self.peer(1), now: Self.time(1_000 + Int64($0) * 20)) }
        #expect(later.count == 9)
        let rested = (0..<60).filter { _ in table.erred(Self.peer(1), now: Self.time(60_000)) }
        #expect(rested.count == 50)
    }

    @Test func `without limits everything goes`() {
        var table = Self.table()
        #expect((0..<1_000).allSatisfy { _ in table.opened(Self.peer(1), now: Self.time(0)) })
        #expect((0..<1_000).allSatisfy { _ in table.erred(Self.peer(1), now: Self.time(0)) })
    }

    @Test func `a full table forgets those of whom there is nothing to remember`() {
        var table = Self.table(connections: 1, errorsPerSecond: 1, addresses: 4)
        #expect(table.opened(Self.peer(1), now: Self.time(0)) == true)
        for number in 2...4 { #expect(table.erred(Self.peer(number), now: Self.time(0)) == true) }
        #expect(table.opened(Self.peer(5), now: Self.time(2_000)) == true)
        #expect(table.opened(Self.peer(6), now: Self.time(2_000)) == true)
        #expect(table.count == 4)
        // Nobody who has a connection was forgotten.
        for number in [1, 5, 6] { #expect(table.opened(Self.peer(number), now: Self.time(2_000)) == false) }
    }

    @Test func `while a table is full of those to remember, the unknown share one entry`() {
        var table = Self.table(connections: 1, errorsPerSecond: 1, addresses: 2)
        for number in 1...2 { #expect(table.opened(Self.peer(number), now: Self.time(0)) == true) }
        #expect(table.opened(Self.peer(3), now: Self.time(0)) == true)
        #expect(table.opened(Self.peer(4), now: Self.time(0)) == false)
        #expect((0..<20).filter { table.erred(Self.peer(5 + $0), now: Self.time(0)) }.count == 10)
        table.closed(Self.peer(3))
        #expect(table.opened(Self.peer(4), now: Self.time(0)) == true)
        #expect(table.count == 2)
    }

    @Test func `a connection counted among the unknown is taken off in the end, though its address became known`() {
        var table = Self.table(connections: 2, addresses: 1)
        _ = table.opened(Self.peer(1), now: Self.time(0))
        _ = table.opened(Self.peer(2), now: Self.time(0))
        table.closed(Self.peer(1))
        #expect(table.opened(Self.peer(2), now: Self.time(0)) == true)
        table.closed(Self.peer(2))
        table.closed(Self.peer(2))
        // Both entries are empty again: two fit into each.
        for number in [7, 7, 8, 8] { #expect(table.opened(Self.peer(number), now: Self.time(0)) == true) }
        #expect(table.opened(Self.peer(7), now: Self.time(0)) == false)
        #expect(table.opened(Self.peer(9), now: Self.time(0)) == false)
    }

    @Test func `a close that was not opened takes nothing below zero`() {
        var table = Self.table(connections: 1)
        table.closed(Self.peer(1))
        #expect(table.opened(Self.peer(1), now: Self.time(0)) == true)
        #expect(table.opened(Self.peer(1), now: Self.time(0)) == false)
    }

    @Test func `ever new addresses leave the table bounded, and counts that come out even`() {
        var random = RandomNumbers(seed: 6)
        var table = Self.table(connections: 3, errorsPerSecond: 1, addresses: 100)
        var open: [Int] = []
        var largest = 0
        for step in 0..<100_000 {
            let peer = Int.random(in: 0..<500, using: &random)
            let now = Self.time(Int64(step))
            if random.oneIn(3) { _ = table.erred(Self.peer(1_000 + step), now: now) }
            if !open.isEmpty, random.oneIn(2) {
                table.closed(Self.peer(open.swapRemove(Int.random(in: 0..<open.count, using: &random))))
            } else if table.opened(Self.peer(peer), now: now) {
                open.append(peer)
            }
            largest = max(largest, table.count)
        }
        #expect(largest == 100)
        for peer in open { table.closed(Self.peer(peer)) }
        // Three for each of 100 that are told apart, and three for all others.
        let later = Self.time(1_000_000_000)
        let admitted = (0..<1_000).filter { table.opened(Self.peer(2_000_000 + $0), now: later) }
        #expect(admitted.count == 103)
    }

    @Test func `all loops count in one table`() {
        let table = SharedAddressTable(limits: AddressTable.Limits(connections: 1, errorsPerSecond: 1))
        #expect(table.opened(Self.peer(1), now: Self.time(0)))
        #expect(!table.opened(Self.peer(1), now: Self.time(0)))
        table.closed(Self.peer(1))
        #expect(table.opened(Self.peer(1), now: Self.time(0)))
        #expect((0..<20).filter { _ in table.erred(Self.peer(1), now: Self.time(0)) }.count == 10)
    }
}

extension Array {
    fileprivate mutating func swapRemove(_ index: Int) -> Element {
        swapAt(index, count - 1)
        return removeLast()
    }
}
