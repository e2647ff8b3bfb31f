import NIOCore
import OriginPersistence
import OriginStore
import TestSupport
import Testing

extension NIODeadline {
    /// A moment of the tests' own clock.
    static func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }
}

@Suite struct WriteBehindTests {
    /// 512 bytes of overhead and a body of this many bytes are one object.
    static let overhead = 512

    func machine(bytes: Int = 1 << 20, objects: Int = 100, isSynchronised: Bool = false) -> WriteBehind {
        WriteBehind(limits: .init(bytes: bytes, objects: objects, isSynchronised: isSynchronised))
    }

    func succeed(_ machine: inout WriteBehind, _ step: WriteBehind.Step, at time: NIODeadline = .at(0)) {
        let next = machine.next(now: time)
        #expect(next == step)
        let hasRecovered = machine.succeeded(now: time)
        #expect(!hasRecovered)
    }

    func rest(_ machine: inout WriteBehind, until deadline: NIODeadline? = nil, at time: NIODeadline = .at(0)) {
        let next = machine.next(now: time)
        #expect(next == .wait(until: deadline))
    }

    func take(_ machine: inout WriteBehind, _ object: StoredObject, refused: WriteBehind.Refusal? = nil) {
        let refusal = machine.stored(object)
        #expect(refusal == refused)
    }

    @Test func `objects are written in their order`() {
        var machine = machine()
        take(&machine, object("/a.ts", "a"))
        take(&machine, object("/p.m3u8", "a"))
        succeed(&machine, .write(object("/a.ts", "a")))
        succeed(&machine, .write(object("/p.m3u8", "a")))
        rest(&machine)
        let wakes = machine.wakes()
        #expect(wakes)
    }

    @Test func `a newer version takes the place of the one that waits, at the end`() {
        var machine = machine()
        take(&machine, object("/p.m3u8", "a", version: 1))
        take(&machine, object("/b.ts", "b"))
        take(&machine, object("/p.m3u8", "ab", version: 2))
        #expect(machine.queuedObjects == 2)
        succeed(&machine, .write(object("/b.ts", "b")))
        succeed(&machine, .write(object("/p.m3u8", "ab", version: 2)))
        rest(&machine)
        #expect(machine.queuedBytes == 0)
    }

    @Test func `what changes faster than it is written is written all the same`() {
        var machine = machine(objects: 1_000)
        for index in 0..<100 { take(&machine, object("/\(index).ts", "")) }
        take(&machine, object("/p.m3u8", "", version: 0))
        var written = false
        for version in 1...110 where !written {
            let step = machine.next(now: .at(0))
            if case .write(let object) = step { written = object.key == key("/p.m3u8") }
            _ = machine.succeeded(now: .at(0))
            take(&machine, object("/p.m3u8", "", version: version))
        }
        #expect(written)
    }

    @Test func `what goes before it was written is never written`() {
        var machine = machine()
        take(&machine, object("/a.ts", "a"))
        machine.removed(key("/a.ts"))
        #expect(machine.queuedBytes == 0)
        rest(&machine)
    }

    @Test func `what goes while it is written, or after, is removed`() {
        var machine = machine()
        take(&machine, object("/a.ts", "a"))
        let step = machine.next(now: .at(0))
        #expect(step == .write(object("/a.ts", "a")))
        machine.removed(key("/a.ts"))
        _ = machine.succeeded(now: .at(0))
        succeed(&machine, .remove(key("/a.ts")))
        machine.removed(key("/a.ts"))
        rest(&machine)
    }

    @Test func `what was found is removed when the store does not take it`() {
        var machine = machine()
        machine.found(key("/a.ts"))
        machine.removed(key("/a.ts"))
        succeed(&machine, .remove(key("/a.ts")))
        rest(&machine)
    }

    @Test func `over the limit the newest is dropped, and its older version removed`() {
        var machine = machine(bytes: 3 * (Self.overhead + 100))
        let body = String(repeating: "x", count: 100)
        take(&machine, object("/p.m3u8", body))
        succeed(&machine, .write(object("/p.m3u8", body)))
        take(&machine, object("/1.ts", body))
        take(&machine, object("/2.ts", body))
        take(&machine, object("/3.ts", body))
        take(&machine, object("/p.m3u8", body, version: 2), refused: .full)
        succeed(&machine, .write(object("/1.ts", body)))
        succeed(&machine, .write(object("/2.ts", body)))
        succeed(&machine, .write(object("/3.ts", body)))
        succeed(&machine, .remove(key("/p.m3u8")))
        rest(&machine)
    }

    @Test func `over the limit of objects likewise`() {
        var machine = machine(objects: 2)
        take(&machine, object("/1.ts", ""))
        take(&machine, object("/2.ts", ""))
        take(&machine, object("/3.ts", ""), refused: .full)
        #expect(machine.queuedObjects == 2)
    }

    @Test func `over the limit of objects a newer version takes the place of the one that waits`() {
        var machine = machine(objects: 2)
        take(&machine, object("/p.m3u8", "a", version: 1))
        take(&machine, object("/1.ts", ""))
        take(&machine, object("/p.m3u8", "b", version: 2))
        #expect(machine.queuedObjects == 2)
        // Its older version's turn has come now.
        let step = machine.next(now: .at(0))
        #expect(step == .write(object("/1.ts", "")))
        take(&machine, object("/2.ts", ""))
        take(&machine, object("/p.m3u8", "c", version: 3))
        #expect(machine.queuedObjects == 2)
        _ = machine.succeeded(now: .at(0))
        succeed(&machine, .write(object("/2.ts", "")))
        succeed(&machine, .write(object("/p.m3u8", "c", version: 3)))
        rest(&machine)
    }

    @Test func `where files could not be read, what is not kept is removed in any case`() {
        var machine = machine(objects: 1)
        machine.foundUnreadable()
        take(&machine, object("/1.ts", ""))
        take(&machine, object("/2.ts", ""), refused: .full)
        machine.removed(key("/3.ts"))
        succeed(&machine, .write(object("/1.ts", "")))
        succeed(&machine, .remove(key("/2.ts")))
        succeed(&machine, .remove(key("/3.ts")))
        rest(&machine)
    }

    @Test func `the version that waits counts no more when a newer one comes`() {
        var machine = machine(bytes: Self.overhead + 100)
        take(&machine, object("/p.m3u8", String(repeating: "x", count: 100)))
        take(&machine, object("/p.m3u8", String(repeating: "y", count: 100)))
        take(&machine, object("/p.m3u8", "y"))
        #expect(machine.queuedBytes == Self.overhead + 1)
    }

    @Test func `a single object may be larger than the queue, with nothing beside it`() {
        var machine = machine(bytes: 10)
        let large = object("/a.ts", String(repeating: "x", count: 1_000))
        take(&machine, large)
        take(&machine, object("/b.ts", ""), refused: .full)
        succeed(&machine, .write(large))
    }

    @Test func `a failure drops what waits, removes what is older and tries again later and later`() {
        var machine = machine()
        take(&machine, object("/p.m3u8", "a"))
        succeed(&machine, .write(object("/p.m3u8", "a")))
        take(&machine, object("/p.m3u8", "b", version: 2))
        take(&machine, object("/1.ts", ""))
        _ = machine.next(now: .at(0))
        let failure = machine.failed(now: .at(0))
        #expect(failure == .init(isFirst: true, dropped: 2))
        #expect(machine.queuedBytes == 0)
        succeed(&machine, .remove(key("/p.m3u8")))
        rest(&machine, until: .at(1))
        take(&machine, object("/2.ts", ""), refused: .degraded)
        rest(&machine, until: .at(1))
        var now: Int64 = 1
        for delay: Int64 in [2, 4, 8, 16, 30, 30] {
            let step = machine.next(now: .at(now))
            #expect(step == .probe(bytes: 64 << 10))
            let again = machine.failed(now: .at(now))
            #expect(again == .init(isFirst: false, dropped: 0))
            rest(&machine, until: .at(now + delay), at: .at(now))
            now += delay
        }
        let step = machine.next(now: .at(now))
        #expect(step == .probe(bytes: 64 << 10))
        let hasRecovered = machine.succeeded(now: .at(now))
        #expect(hasRecovered)
        take(&machine, object("/2.ts", ""))
        succeed(&machine, .write(object("/2.ts", "")), at: .at(now))
    }

    @Test func `a disk that fails again soon is not tried every second`() {
        var machine = machine()
        func fail(at second: Int64) -> NIODeadline? {
            take(&machine, object("/a.ts", ""))
            _ = machine.next(now: .at(second))
            _ = machine.failed(now: .at(second))
            // The removal of what may be there.
            succeed(&machine, .remove(key("/a.ts")), at: .at(second))
            guard case .wait(let retryAt) = machine.next(now: .at(second)) else { return nil }
            return retryAt
        }
        func recover(at second: Int64) {
            _ = machine.next(now: .at(second))
            let hasRecovered = machine.succeeded(now: .at(second))
            #expect(hasRecovered)
        }
        #expect(fail(at: 0) == .at(1))
        recover(at: 1)
        #expect(fail(at: 2) == .at(4))
        recover(at: 4)
        #expect(fail(at: 5) == .at(9))
        recover(at: 9)
        #expect(fail(at: 39) == .at(40))
    }

    @Test func `a removal that fails is tried again with writing`() {
        var machine = machine()
        machine.found(key("/a.ts"))
        machine.removed(key("/a.ts"))
        _ = machine.next(now: .at(0))
        let failure = machine.failed(now: .at(0))
        #expect(failure == .init(isFirst: true, dropped: 0))
        rest(&machine, until: .at(1))
        _ = machine.next(now: .at(1))
        _ = machine.failed(now: .at(1))
        // The probe failed, the removal may go.
        succeed(&machine, .remove(key("/a.ts")), at: .at(1))
        rest(&machine, until: .at(3), at: .at(1))
    }

    @Test func `an object that cannot be written as it is costs its older version alone`() {
        var machine = machine()
        machine.found(key("/a.ts"))
        take(&machine, object("/a.ts", "new"))
        _ = machine.next(now: .at(0))
        machine.refused()
        succeed(&machine, .remove(key("/a.ts")))
        rest(&machine)
    }

    @Test func `folders are synchronised when nothing else is to do, or after 64 changes`() {
        var machine = machine(objects: 1_000, isSynchronised: true)
        for index in 0..<70 { take(&machine, object("/\(index).ts", "")) }
        for index in 0..<64 { succeed(&machine, .write(object("/\(index).ts", ""))) }
        succeed(&machine, .synchronise)
        for index in 64..<70 { succeed(&machine, .write(object("/\(index).ts", ""))) }
        succeed(&machine, .synchronise)
        rest(&machine)
    }

    @Test func `told to stop, it writes what waits until the deadline`() {
        var machine = machine()
        take(&machine, object("/1.ts", ""))
        take(&machine, object("/2.ts", ""))
        machine.found(key("/2.ts"))
        machine.stop(by: .at(5))
        succeed(&machine, .write(object("/1.ts", "")), at: .at(4))
        let step = machine.next(now: .at(5))
        #expect(step == .giveUp)
        let dropped = machine.giveUp()
        #expect(dropped == 1)
        succeed(&machine, .remove(key("/2.ts")), at: .at(5))
        let end = machine.next(now: .at(5))
        #expect(end == .end)
        take(&machine, object("/3.ts", ""), refused: .stopped)
        #expect(machine.queuedBytes == 0)
    }

    @Test func `told to stop while the disk fails, it ends`() {
        var machine = machine()
        take(&machine, object("/1.ts", ""))
        _ = machine.next(now: .at(0))
        _ = machine.failed(now: .at(0))
        machine.stop(by: .at(5))
        _ = machine.next(now: .at(0))
        _ = machine.failed(now: .at(0))
        let end = machine.next(now: .at(0))
        #expect(end == .end)
    }

    /// Against a disk that fails at random, with changes also while a step is done: at rest, the disk has nothing that
    /// the store does not have, and all that was not dropped.
    @Test(arguments: 1...40)
    func `at rest the disk has what the store has, or less`(seed: UInt64) throws {
        var random = RandomNumbers(seed: seed)
        let limitBytes = 8 * (Self.overhead + 50)
        var machine = machine(bytes: limitBytes, objects: 6, isSynchronised: random.oneIn(2))
        var store: [ObjectKey: StoredObject] = [:]
        var disk: [ObjectKey: StoredObject] = [:]
        /// Keys whose newest version was dropped.
        var dropped: Set<ObjectKey> = []
        var doing: WriteBehind.Step?
        var (now, rests) = (0 as Int64, 0)
        var (writesFail, removalsFail) = (false, false)
        for version in 0..<5_000 {
            if random.oneIn(200) { (writesFail, removalsFail) = (random.oneIn(2), random.oneIn(3)) }
            let key = key("/\(Int.random(in: 0..<12, using: &random))")
            switch Int.random(in: 0..<14, using: &random) {
            case 0...2:
                let body = String(repeating: "x", count: Int.random(in: 0...100, using: &random))
                let object = object(key.path, body, version: version)
                store[key] = object
                if machine.stored(object) == nil { dropped.remove(key) } else { dropped.insert(key) }
            case 3:
                store[key] = nil
                machine.removed(key)
            case 4:
                now += 1
            default:
                guard let step = doing else {
                    doing = machine.next(now: .at(now))
                    guard case .wait(let deadline) = doing else { continue }
                    doing = nil
                    if deadline != nil { continue }
                    for (key, object) in store where !dropped.contains(key) { try #require(disk[key] == object) }
                    for (key, object) in disk { try #require(store[key] == object) }
                    rests += 1
                    continue
                }
                doing = nil
                let fails =
                    switch step {
                    case .write, .probe: writesFail && random.oneIn(2)
                    default: removalsFail && random.oneIn(2)
                    }
                guard !fails else {
                    _ = machine.failed(now: .at(now))
                    dropped.formUnion(store.keys.filter { disk[$0] != store[$0] })
                    continue
                }
                if case .write(let object) = step { disk[object.key] = object }
                if case .remove(let key) = step { disk[key] = nil }
                _ = machine.succeeded(now: .at(now))
            }
            let (bytes, objects) = (machine.queuedBytes, machine.queuedObjects)
            try #require(bytes <= limitBytes && objects <= 6)
        }
        #expect(rests > 10)
    }
}

@Suite struct ChangeListTests {
    @Test func `a key that changes for ever does not make it grow`() {
        var list = ChangeList()
        for version in 0..<100_000 { list.append(.write(object("/p.m3u8", "", version: version)), for: key("/p.m3u8")) }
        #expect(list.orderCount < 100)
        #expect(list.writes == 1)
        let last = list.popFirst()
        #expect(last == .write(object("/p.m3u8", "", version: 99_999)))
        #expect(list.isEmpty)
        #expect(list.bytes == 0)
    }
}
