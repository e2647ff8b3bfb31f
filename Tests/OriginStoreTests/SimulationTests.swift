import FoundationEssentials
import Glibc
import NIOCore
import OriginStore
import Testing

@Suite struct SimulationTests {
    /// Twenty streams; five minutes, or as many hours as HEADWATER_SIMULATED_HOURS says.
    @Test func `memory stays flat as long as streams go on`() throws {
        let hours = ProcessInfo.processInfo.environment["HEADWATER_SIMULATED_HOURS"].flatMap { Int($0) } ?? 0
        // Of this process's other tests.
        let fileBytes = ProcessMemory.fileBytes
        let journal = CountingJournal()
        let setup = StoreSetup(journal: hours > 0 ? nil : journal)
        var streams = SimulatedStreams(setup, streamCount: 20)
        var heldBytes: [Int] = []
        var objects: [Int] = []
        let clock = ContinuousClock()
        let start = clock.now
        for minute in 1...(hours > 0 ? hours * 60 : 5) {
            for _ in 0..<60 { try streams.advance() }
            heldBytes.append(setup.store.heldBytes)
            objects.append(setup.store.counts.objects)
            #expect(setup.store.counts.playlists == 60)
            guard hours > 0, minute % 60 == 0 else { continue }
            print(
                "hour \(minute / 60): \(setup.store.heldBytes) bytes held, \(setup.store.counts.objects) objects,",
                "resident \(ProcessMemory.residentBytes) bytes, in memory files \(ProcessMemory.fileBytes) bytes,",
                "after \((clock.now - start).components.seconds) s")
            fflush(nil)
        }
        for values in [heldBytes, objects] {
            let least = try #require(values.min())
            let most = try #require(values.max())
            #expect(Double(most) <= Double(least) * 1.05, "\(values)")
        }
        print(
            "\(streams.second) s: \(heldBytes.last ?? 0) bytes and \(objects.last ?? 0) objects held,",
            "\(streams.readBytes) bytes read, in \(clock.now - start)")
        #expect(streams.readBytes > streams.second * 20 * 490_000)
        let end = NIODeadline.at(Int64(streams.second))
        for minutes in Int64(1)...8 { _ = setup.store.timePassed(now: end + .minutes(minutes)) }
        #expect(setup.store.counts == (0, 0))
        #expect(setup.store.heldBytes == 0)
        #expect(ProcessMemory.fileBytes <= fileBytes)
    }
}

/// Takes what it is told and forgets it.
private struct CountingJournal: StoreJournal {
    func stored(_ object: StoredObject) {}
    func removed(_ key: ObjectKey) {}
}

/// What the system says this process takes.
enum ProcessMemory {
    /// Pages in memory, in bytes, without those of memory files.
    static var residentBytes: Int {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
        return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4_096
    }

    /// Pages of files that have no name but in `memfd_create(2)`, in bytes.
    static var fileBytes: Int {
        (0..<256).reduce(0) { sum, descriptor in
            let path = "/proc/self/fd/\(descriptor)"
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path),
                target.hasPrefix("/memfd:")
            else { return sum }
            var status = stat()
            guard unsafe stat(path, &status) == 0 else { return sum }
            return sum + Int(status.st_blocks) * 512
        }
    }
}
