import NIOCore
import NIOHTTP1
import Synchronization
import Testing

import Upload

@Suite(.timeLimit(.minutes(1)))
struct RetryTests {
    @Test func `a connection that broke is followed by a new one, from byte 0`() async throws {
        let origin = try await Origin { number, _ in number == 1 ? .cut(afterBytes: 1_000) : .atEnd(.created) }
        let setup = try UploadSetup(origin.url)
        let body = setup.open("/live/s/1.ts")
        body.append(ByteBuffer(bytes: pattern(1_000)))
        try await origin.journal.wait(for: { $0.heads("/live/s/1.ts").count == 2 })
        body.append(ByteBuffer(bytes: pattern(1_000, from: 1_000)))
        body.finish()
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 1)
        let bodies = origin.journal.events.bodies("/live/s/1.ts")
        #expect(bodies.map(\.isEnded) == [false, true])
        #expect(bodies.last?.bytes == pattern(2_000))
        #expect(bodies.first?.connection != bodies.last?.connection)
        #expect(setup.metrics.total("retries/0") == 1)
        await setup.end()
    }

    @Test(arguments: [HTTPResponseStatus.internalServerError, .notFound, .seeOther])
    func `a refusal is followed by another request`(status: HTTPResponseStatus) async throws {
        let origin = try await Origin { number, _ in number == 1 ? .atEnd(status) : .atEnd(.ok) }
        let setup = try UploadSetup(origin.url)
        let body = setup.open("/live/s/1.ts")
        body.append(ByteBuffer(bytes: pattern(1_000)))
        body.finish()
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 1)
        #expect(origin.journal.events.bodies("/live/s/1.ts").map(\.bytes) == [pattern(1_000), pattern(1_000)])
        #expect(origin.journal.events.connections == 2)
        await setup.end()
    }

    @Test func `an early refusal is noticed while the body waits for bytes`() async throws {
        let origin = try await Origin { number, _ in number == 1 ? .atHead(.forbidden) : .atEnd(.ok) }
        let setup = try UploadSetup(origin.url)
        let body = setup.open("/live/s/1.ts")
        try await origin.journal.wait(for: { $0.heads("/live/s/1.ts").count == 2 })
        body.append(ByteBuffer(bytes: pattern(1_000)))
        body.finish()
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 1)
        await setup.end()
    }

    @Test func `an early refusal whose connection is closed keeps its status`() async throws {
        let origin = try await Origin { _, _ in .atHeadAndClose(.conflict) }
        let setup = try UploadSetup(origin.url)
        let body = setup.open("/live/s/1.ts")
        try await setup.metrics.wait(for: "transfers/0/superseded", total: 1)
        #expect(body.isOpen)
        await setup.end()
    }

    @Test func `409 is told and not repeated`() async throws {
        let origin = try await Origin { _, _ in .atHead(.conflict) }
        let setup = try UploadSetup(origin.url)
        let told = Journal<String>()
        setup.uploader.onSuperseded = { path, epoch in told.record("\(path) \(epoch)") }
        let body = setup.open("/live/s/1.ts", epoch: PublishEpoch(3))
        body.append(ByteBuffer(bytes: pattern(1_000)))
        body.finish()
        try await told.wait(for: { $0 == ["/live/s/1.ts 3"] })
        await setup.uploader.shutdown(within: .seconds(5))
        #expect(origin.journal.events.heads("/live/s/1.ts").count == 1)
        #expect(setup.metrics.total("transfers/0/superseded") == 1)
        #expect(setup.metrics.total("retries/0") == 0)
    }

    @Test func `an origin that does not answer in time is asked again`() async throws {
        let origin = try await Origin { number, _ in number == 1 ? .never : .atEnd(.ok) }
        let setup = try UploadSetup(origin.url) { $0.responseTimeout = .milliseconds(50) }
        let body = setup.open("/live/s/1.ts")
        body.finish()
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 1)
        // The second answer may take as long.
        #expect(origin.journal.events.connections >= 2)
        await setup.end()
    }

    @Test func `an origin that takes no bytes is given up in time`() async throws {
        let origin = try await Origin(reads: false, answer: accept)
        let setup = try UploadSetup(origin.url) { $0.progressTimeout = .milliseconds(300) }
        let body = setup.open("/live/s/1.ts")
        body.append(ByteBuffer(repeating: 1, count: 32 << 20))
        try await setup.metrics.wait(for: "retries/0", total: 1)
        setup.uploader.expire(body)
        try await setup.metrics.wait(for: "transfers/0/dropped", total: 1)
        await setup.end()
    }

    @Test func `a kept connection that the origin closed costs no retry`() async throws {
        let origin = try await Origin(answer: accept)
        let setup = try UploadSetup(origin.url)
        setup.put("/a", "1")
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 1)
        try await origin.close()
        try await origin.journal.wait(for: { $0.contains { if case .closed = $0 { true } else { false } } })
        let second = try await Origin(port: origin.port, answer: accept)
        let body = setup.open("/b")
        body.append(ByteBuffer(bytes: pattern(1_000)))
        body.finish()
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 2)
        #expect(second.journal.events.received("/b") == pattern(1_000))
        #expect(setup.metrics.total("retries/0") == 0)
        await setup.end()
    }

    @Test func `a kept connection that breaks in the middle is replaced at once`() async throws {
        let origin = try await Origin { number, _ in number == 2 ? .cut(afterBytes: 10) : .atEnd(.created) }
        let setup = try UploadSetup(origin.url) {
            $0.firstRetryDelay = .seconds(60)
            $0.longestRetryDelay = .seconds(60)
        }
        setup.put("/a", "1")
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 1)
        let body = setup.open("/b")
        body.append(ByteBuffer(bytes: pattern(10)))
        try await origin.journal.wait(for: { $0.heads("/b").count == 2 })
        body.append(ByteBuffer(bytes: pattern(10, from: 10)))
        body.finish()
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 2)
        #expect(origin.journal.events.received("/b") == pattern(20))
        #expect(origin.journal.events.connections == 2)
        await setup.end()
    }

    @Test func `a destination that is back gets everything still in the window`() async throws {
        let dead = try DeadPort()
        let setup = try UploadSetup(dead.url)
        let bodies = (1...40).map { setup.open("/live/s/\($0).ts") }
        for body in bodies.dropLast() {
            body.append(ByteBuffer(bytes: pattern(5_000)))
            body.finish()
        }
        bodies[39].append(ByteBuffer(bytes: pattern(5_000)))
        try await setup.metrics.wait(for: "retries/0", total: 5)
        setup.uploader.expire(bodies[0])
        try await setup.metrics.wait(for: "transfers/0/dropped", total: 1)
        let origin = try await Origin(on: dead.takeSocket(), answer: accept)
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 38)
        try await origin.journal.wait(for: { $0.received("/live/s/40.ts") == pattern(5_000) })
        bodies[39].finish()
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 39)
        for number in 2...40 {
            #expect(origin.journal.events.received("/live/s/\(number).ts") == pattern(5_000))
        }
        #expect(origin.journal.events.heads("/live/s/1.ts").isEmpty)
        await setup.end()
    }

    @Test func `a failing destination is probed, not hammered`() async throws {
        let isUp = Mutex(false)
        let origin = try await Origin { _, _ in .atEnd(isUp.withLock { $0 } ? .ok : .serviceUnavailable) }
        let setup = try UploadSetup(origin.url) {
            $0.firstRetryDelay = .milliseconds(200)
            $0.longestRetryDelay = .milliseconds(200)
        }
        for number in 1...3 { setup.put("/\(number)", "x") }
        try await setup.metrics.wait(for: "retries/0", total: 3)
        let start = ContinuousClock.now
        let before = origin.journal.events.connections
        for number in 4...100 { setup.put("/\(number)", "x") }
        try await setup.metrics.wait(for: "retries/0", total: 5)
        let probes = origin.journal.events.connections - before
        // A round of probes follows the one before after half the delay at the soonest; one may be under way at each end.
        let rounds = Int((ContinuousClock.now - start) / .milliseconds(100)) + 2
        #expect(probes <= rounds * DestinationHealth.probesLimit)
        isUp.withLock { $0 = true }
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 100)
        await setup.end()
    }
}
