import NIOCore
import TestSupport
import Testing

/// Segments through Varnish, with the recipe of `deploy/varnish`.
@Suite(.serialized) struct CachedSegmentTests {
    static let path = "/live/show/1.ts"

    /// Of 160 readers, so many may wait longer for their first byte than all have to.
    private static let strayReaders = 8

    static func media(_ count: Int) -> [UInt8] {
        var numbers = RandomNumbers(seed: 4)
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &numbers) }
    }

    @Test func `200 readers that join a growing segment cost the origin one request, and get all of it`() async throws {
        // Time is given three attempts, for what else this host may do; all the rest holds in each.
        for attempt in 1...3 {
            let firstBytes = try await firstBytesOfLaterReaders()
            #expect(firstBytes.count == 160)
            let isInTime = firstBytes[firstBytes.count - 1 - Self.strayReaders] < .milliseconds(50)
            if isInTime { return }
            #expect(isInTime || attempt < 3)
        }
    }

    /// How long those who came while it grew waited for their first byte, in order.
    private func firstBytesOfLaterReaders() async throws -> [Duration] {
        // 2.5 s at 3 Mb/s.
        let media = Self.media(940_000)
        let object = ByteBuffer(bytes: media)
        return try await withOrigin { origin in
            let recorder = try await OriginRecorder(inFrontOf: origin)
            let firstBytes = try await withVarnish(inFrontOf: recorder.port) { varnish -> [Duration] in
                let upload = try await GrowingUpload(Self.path, at: origin.port)
                await upload.send(Array(media[..<40_000]))
                try await upload.untilServed()
                let (joiners, join) = AsyncStream.makeStream(of: Int.self)
                // The first 40 ask at once, the others one by one while it grows.
                let (firstReaders, laterReaders) = try await withThrowingTaskGroup(
                    of: (isFirst: Bool, reading: ObjectReading).self
                ) { group in
                    let start = ContinuousClock.now
                    for reader in 0..<200 {
                        let delay = Duration.milliseconds(max(0, reader - 39) * 15)
                        group.addTask {
                            try await Task.sleep(until: start + delay)
                            // Each has a token of its own.
                            let path = "\(Self.path)?token=\(reader)"
                            let reading = try await ObjectReading.read(path, at: varnish.port, expecting: object) { _ in
                                join.yield(reader)
                            }
                            return (reader < 40, reading)
                        }
                    }
                    try await upload.send(Array(media[40_000..<780_000]), pieces: 40, over: .seconds(2))
                    // The rest does not come before each has something of it.
                    try await joiners.wait(forDifferent: 200)
                    try await upload.send(Array(media[780_000...]), pieces: 10, over: .milliseconds(500))
                    #expect(try await upload.finish() == "HTTP/1.1 201 Created")
                    let readings = try await group.reduce(into: []) { $0.append($1) }
                    return (readings.filter(\.isFirst).map(\.reading), readings.filter { !$0.isFirst }.map(\.reading))
                }
                let readings = firstReaders + laterReaders
                #expect(readings.count == 200)
                #expect(readings.allSatisfy { $0.status == 200 && $0.hasEnded && $0.isAsExpected })
                #expect(readings.allSatisfy { $0.bodyBytes == media.count })
                let requests = recorder.requests { $0.hasPrefix("GET \(Self.path)?") }
                #expect(requests == 1)

                let firstBytes = laterReaders.compactMap(\.firstByte).sorted()
                // Varnish counts when it is done with a reader.
                let (hits, misses) = try await poll(for: "200 lookups to be counted") { () -> (Int, Int)? in
                    let hits = try await varnish.counter("MAIN.cache_hit")
                    let misses = try await varnish.counter("MAIN.cache_miss")
                    return hits + misses >= 200 ? (hits, misses) : nil
                }
                #expect(hits == 199 && misses == 1)
                print(
                    "200 readers of a growing segment through Varnish: requests at the origin \(requests);",
                    "first byte of those who joined later: median \(firstBytes[firstBytes.count / 2]),",
                    "90 % \(firstBytes[firstBytes.count * 9 / 10]), maximum \(firstBytes[firstBytes.count - 1]);",
                    "hit ratio \(Double(hits) / Double(hits + misses))")
                return firstBytes
            }
            try await recorder.close()
            return firstBytes
        }
    }

    @Test func `an upload that breaks off cuts all readers, and nothing of it is served again`() async throws {
        let media = Self.media(200_000)
        let object = ByteBuffer(bytes: media)
        try await withOrigin(["--upload-resume-window", "500ms"]) { origin in
            try await withVarnish(inFrontOf: origin.port) { varnish in
                let upload = try await GrowingUpload(Self.path, at: origin.port)
                await upload.send(Array(media[..<50_000]))
                try await upload.untilServed()
                let (halves, half) = AsyncStream.makeStream(of: Void.self)
                async let reading = withThrowingTaskGroup(of: ObjectReading.self) { group in
                    for _ in 0..<20 {
                        group.addTask {
                            try await ObjectReading.read(Self.path, at: varnish.port, expecting: object) { received in
                                if received == 100_000 { half.yield() }
                            }
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                try await upload.send(Array(media[50_000..<100_000]), pieces: 5, over: .milliseconds(500))
                // All of them have read that by then; those who ask from here on come besides.
                try await halves.wait(for: 20)
                let (misses, miss) = AsyncStream.makeStream(of: Void.self)
                async let asking = Self.untilComplete(at: varnish.port, object, miss)
                await upload.breakOff()
                for reading in try await reading {
                    #expect(reading.status == 200)
                    #expect(!reading.hasEnded)
                    #expect(reading.isAsExpected && reading.bodyBytes == 100_000)
                }
                for _ in 0..<10 {
                    let after = try await ObjectReading.read(Self.path, at: varnish.port, expecting: object)
                    #expect(after.status == 404)
                    #expect(after.headers["cache-control"] == "no-store")
                }
                // Who asked all the time has been told once by then that it is gone.
                try await misses.wait(for: 1)

                #expect(try await origin.upload(Self.path, media) == "HTTP/1.1 201 Created")
                let again = try await ObjectReading.read(Self.path, at: varnish.port, expecting: object)
                #expect(again.status == 200 && again.hasEnded && again.isAsExpected && again.bodyBytes == media.count)
                for reading in try await asking where reading.status == 200 && reading.hasEnded {
                    #expect(reading.isAsExpected && reading.bodyBytes == media.count)
                }
            }
        }
    }

    /// Reads again and again, until the whole object comes; gives all readings, and tells `miss` of each 404.
    private static func untilComplete(
        at port: Int, _ object: ByteBuffer, _ miss: AsyncStream<Void>.Continuation
    ) async throws -> [ObjectReading] {
        try await withDeadline(.seconds(120), or: NotSo(description: "\(path) did not become complete")) {
            var readings: [ObjectReading] = []
            while readings.last?.bodyBytes != object.readableBytes || readings.last?.hasEnded != true {
                let reading = try await ObjectReading.read(path, at: port, expecting: object)
                if reading.status == 404 { miss.yield() }
                readings.append(reading)
                try await Task.sleep(for: .milliseconds(50))
            }
            return readings
        }
    }

    /// Reads again and again until it is not missing; tells `miss` of the first 404.
    private static func untilThere(
        _ path: String, at port: Int, _ object: ByteBuffer, _ miss: AsyncStream<Void>.Continuation
    ) async throws -> (missed: Int, last: ObjectReading) {
        try await withDeadline(.seconds(120), or: NotSo(description: "\(path) did not come")) {
            var missed = 0
            while true {
                let last = try await ObjectReading.read(path, at: port, expecting: object)
                if ![404, 429].contains(last.status) { return (missed: missed, last: last) }
                if missed == 0 { miss.yield() }
                missed += 1
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    @Test func `a segment that was missing is served from the moment it is there`() async throws {
        let media = Self.media(30_000)
        let object = ByteBuffer(bytes: media)
        try await withOrigin { origin in
            try await withVarnish(inFrontOf: origin.port) { varnish in
                for number in 1...5 {
                    let path = "/live/show/early-\(number).ts"
                    // Eight ask again and again until it is there, and then read it.
                    let (misses, miss) = AsyncStream.makeStream(of: Void.self)
                    async let asking = withThrowingTaskGroup(of: (missed: Int, last: ObjectReading).self) { group in
                        for _ in 0..<8 {
                            group.addTask { try await Self.untilThere(path, at: varnish.port, object, miss) }
                        }
                        return try await group.reduce(into: []) { $0.append($1) }
                    }
                    // Each has been told once by then that it is not there.
                    try await misses.wait(for: 8)
                    let upload = try await GrowingUpload(path, at: origin.port)
                    await upload.send(Array(media[..<10_000]))
                    try await upload.untilServed()
                    async let later = withThrowingTaskGroup(of: ObjectReading.self) { group in
                        for _ in 0..<20 {
                            group.addTask { try await ObjectReading.read(path, at: varnish.port, expecting: object) }
                        }
                        return try await group.reduce(into: []) { $0.append($1) }
                    }
                    try await upload.send(Array(media[10_000...]), pieces: 4, over: .milliseconds(200))
                    try await upload.finish()
                    let readings = try await later
                    #expect(readings.count == 20)
                    #expect(readings.allSatisfy { $0.status == 200 && $0.hasEnded && $0.bodyBytes == media.count })
                    let early = try await asking
                    #expect(early.allSatisfy { $0.missed > 0 })
                    #expect(early.allSatisfy { $0.last.status == 200 && $0.last.hasEnded })
                    #expect(early.allSatisfy { $0.last.bodyBytes == media.count })
                    #expect(try await Curl.get(varnish.http + path).headers["x-cache"] == "HIT")
                }
            }
        }
    }

    @Test func `where a 404 may be kept, it is for as long as the origin says and no longer`() async throws {
        let media = Self.media(10_000)
        try await withOrigin(["--cache", "not-found=public, max-age=5"]) { origin in
            try await withVarnish(inFrontOf: origin.port) { varnish in
                let url = varnish.http + Self.path
                #expect(try await Curl.get(url).headers["x-cache"] == "MISS")
                let kept = try await Curl.get(url)
                let asked = ContinuousClock.now
                #expect(kept.status == 404 && kept.headers["x-cache"] == "HIT")
                try await origin.upload(Self.path, media)
                // Who asks first after that time must not be told the old.
                try await Task.sleep(until: asked + .milliseconds(5_200))
                let response = try await Curl.get(url)
                #expect(response.status == 200 && response.body == media)
            }
        }
    }
}
