import Testing

@Suite struct ReadinessTests {
    struct NotReady: Error {}

    @Test func `both services are ready once they listen`() async throws {
        try await withServices { services in
            for address in [services.ingestMetrics, services.originMetrics] {
                try await withDeadline(.seconds(10), or: NotReady()) {
                    while try await Curl.get("\(address)/readyz").status != 200 { try Task.checkCancellation() }
                }
            }
        }
    }
}
