import Testing

@Suite struct ReadinessTests {
    @Test func `both services are ready once they listen`() async throws {
        try await withServices { services in
            for address in [services.ingestMetrics, services.originMetrics] {
                try await poll(for: "\(address) to be ready") {
                    try await Curl.get("\(address)/readyz").status == 200 ? () : nil
                }
            }
        }
    }
}
