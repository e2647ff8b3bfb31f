import NIOCore
import NIOHTTP1
import Testing

import Upload

@Suite(.timeLimit(.minutes(1)))
struct PublishEpochTests {
    /// Refuses epoch 1 once the gate opens.
    private static func refuseFirst(_: Int, _ head: HTTPRequestHead) -> Origin.Answer {
        head.headers["headwater-epoch"] == ["1"] ? .gated(.conflict) : .atEnd(.created)
    }

    /// No retry that waits its delay comes in time.
    private static func delayRetries(_ configuration: inout Uploader.Configuration) {
        configuration.firstRetryDelay = .seconds(60)
        configuration.longestRetryDelay = .seconds(60)
    }

    private func epochs(_ origin: Origin, _ path: String) -> [String] {
        origin.journal.events.heads(path).flatMap { $0.headers["headwater-epoch"] }
    }

    @Test func `an epoch is never lowered`() {
        let epoch = PublishEpoch(5)
        epoch.raise(to: 4)
        #expect(epoch.value == 5)
        epoch.raise(to: .max)
        #expect(epoch.value == .max)
        epoch.raise(to: 0)
        #expect(epoch.value == .max)
    }

    @Test func `what is refused for an earlier epoch is sent again at once under the present one`() async throws {
        let origin = try await Origin(answer: Self.refuseFirst)
        let setup = try UploadSetup(origin.url, configure: Self.delayRetries)
        let told = Journal<String>()
        setup.uploader.onSuperseded = { path, epoch in told.record("\(path) \(epoch)") }
        let epoch = PublishEpoch(1)
        // As many as would put a destination down that refuses for reasons of its own.
        let paths = (1...5).map { "/live/s/\($0).ts" }
        for path in paths {
            let body = setup.open(path, epoch: epoch)
            body.append(ByteBuffer(bytes: pattern(1_000)))
            body.finish()
        }
        try await origin.journal.wait(for: { events in paths.allSatisfy { events.delivered($0) } })
        epoch.raise(to: 2)
        origin.openGate()
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 5)
        await setup.uploader.shutdown(within: .seconds(5))
        for path in paths {
            #expect(epochs(origin, path) == ["1", "2"])
            #expect(origin.journal.events.received(path) == pattern(1_000))
        }
        #expect(told.events.isEmpty)
        #expect(setup.metrics.total("transfers/0/superseded") == 0)
        #expect(setup.metrics.total("retries/0") == 5)
    }

    @Test func `a retry for another reason says the present epoch`() async throws {
        let origin = try await Origin { number, _ in number == 1 ? .gated(.badGateway) : .atEnd(.created) }
        let setup = try UploadSetup(origin.url)
        let epoch = PublishEpoch(1)
        setup.open("/live/s/1.ts", epoch: epoch).finish()
        try await origin.journal.wait(for: { $0.delivered("/live/s/1.ts") })
        epoch.raise(to: 2)
        origin.openGate()
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 1)
        #expect(epochs(origin, "/live/s/1.ts") == ["1", "2"])
        await setup.end()
    }

    @Test func `a refusal of the raised epoch is told with it, and not repeated`() async throws {
        let origin = try await Origin { number, _ in number == 1 ? .gated(.conflict) : .atEnd(.conflict) }
        let setup = try UploadSetup(origin.url, configure: Self.delayRetries)
        let told = Journal<String>()
        setup.uploader.onSuperseded = { path, epoch in told.record("\(path) \(epoch)") }
        let epoch = PublishEpoch(1)
        setup.open("/live/s/1.ts", epoch: epoch).finish()
        try await origin.journal.wait(for: { $0.delivered("/live/s/1.ts") })
        epoch.raise(to: 2)
        origin.openGate()
        try await told.wait(for: { $0 == ["/live/s/1.ts 2"] })
        await setup.uploader.shutdown(within: .seconds(5))
        #expect(epochs(origin, "/live/s/1.ts") == ["1", "2"])
        #expect(setup.metrics.total("transfers/0/superseded") == 1)
    }

    @Test func `a version refused for an earlier epoch gives way to a newer one`() async throws {
        let origin = try await Origin(answer: Self.refuseFirst)
        let setup = try UploadSetup(origin.url, configure: Self.delayRetries)
        let epoch = PublishEpoch(1)
        setup.put("/p", "one", epoch: epoch)
        try await origin.journal.wait(for: { $0.delivered("/p") })
        epoch.raise(to: 2)
        setup.put("/p", "two", epoch: epoch)
        // Another path's delivery tells that the second version is there before the first one is refused.
        setup.put("/q", "x")
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 1)
        origin.openGate()
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 2)
        #expect(origin.journal.events.bodies("/p").map { String(decoding: $0.bytes, as: UTF8.self) } == ["one", "two"])
        #expect(setup.metrics.total("transfers/0/replaced") == 1)
        await setup.end()
    }
}
