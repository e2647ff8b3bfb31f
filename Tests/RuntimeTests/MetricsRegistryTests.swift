import CoreMetrics
import Testing

import Runtime

@Suite struct MetricsRegistryTests {
    /// The exposition without the registry's own metric.
    func lines(_ registry: MetricsRegistry) -> [String] {
        registry.exposition().split(separator: "\n").map(String.init).filter { !$0.contains("dropped_series") }
    }

    @Test func `every kind is written with its name, help, type and labels`() {
        let registry = MetricsRegistry(help: ["rtmp.publishers": "publishers\nconnected \\ now"])
        Counter(label: "http.requests", dimensions: [("status", "404"), ("method", "GET")], factory: registry)
            .increment(by: 3)
        Counter(label: "http.requests", dimensions: [("method", "GET"), ("status", "200")], factory: registry)
            .increment()
        Counter(label: "bytes_total", factory: registry).increment()
        Gauge(label: "rtmp.publishers", factory: registry).record(2.5)
        Meter(label: "queue.length", factory: registry).increment(by: 2)
        Recorder(label: "segment.age.seconds", aggregate: false, factory: registry).record(10)
        Recorder(label: "segment.age.seconds", aggregate: false, factory: registry).record(20)
        #expect(
            lines(registry) == [
                "# HELP bytes_total bytes_total", "# TYPE bytes_total counter", "bytes_total 1",
                "# HELP http_requests_total http.requests", "# TYPE http_requests_total counter",
                #"http_requests_total{method="GET",status="200"} 1"#,
                #"http_requests_total{method="GET",status="404"} 3"#,
                "# HELP queue_length queue.length", "# TYPE queue_length gauge", "queue_length 2",
                #"# HELP rtmp_publishers publishers\nconnected \\ now"#, "# TYPE rtmp_publishers gauge",
                "rtmp_publishers 2.5",
                "# HELP segment_age_seconds segment.age.seconds", "# TYPE segment_age_seconds gauge",
                "segment_age_seconds 20",
            ])
    }

    @Test(arguments: [("a.b-c d", "a_b_c_d"), ("1st", "_1st"), ("", "_"), ("a:b", "a:b"), ("é", "_")])
    func `a name has only the characters it may have`(label: String, name: String) {
        #expect(ExpositionText.metricName(label) == name)
    }

    @Test func `label names and values are made harmless`() {
        let labels = ExpositionText.labels([("a.b", "x\"y\\z\n"), ("0", ""), ("a:b", "second")])
        #expect(labels == #"{_0="",a_b="x\"y\\z\n"}"#)
    }

    @Test(
        arguments: [
            (0, "0"), (-2, "-2"), (0.5, "0.5"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
            (1e300, "1e+300"),
        ] as [(Double, String)])
    func `numbers are written as Prometheus reads them`(value: Double, written: String) {
        #expect(ExpositionText.number(value) == written)
    }

    @Test func `series beyond the limit are dropped and counted`() {
        let registry = MetricsRegistry(maximumSeries: 2)
        for index in 0..<5 {
            Counter(label: "c", dimensions: [("i", "\(index)")], factory: registry).increment()
        }
        #expect(lines(registry).filter { $0.hasPrefix("c_total{") }.count == 2)
        #expect(registry.exposition().hasSuffix("\nheadwater_metrics_dropped_series_total 3\n"))
    }

    @Test func `one name cannot be two kinds`() {
        let registry = MetricsRegistry()
        Gauge(label: "a.b", factory: registry).record(1)
        Recorder(label: "a_b", factory: registry).record(7)
        #expect(lines(registry) == ["# HELP a_b a.b", "# TYPE a_b gauge", "a_b 1"])
        #expect(registry.exposition().hasSuffix("\nheadwater_metrics_dropped_series_total 1\n"))
    }

    @Test func `what is destroyed makes room`() {
        let registry = MetricsRegistry(maximumSeries: 1)
        Counter(label: "a", factory: registry).destroy()
        Counter(label: "b", factory: registry).increment()
        #expect(lines(registry) == ["# HELP b_total b", "# TYPE b_total counter", "b_total 1"])
    }

    @Test func `nothing is lost between threads`() async {
        let registry = MetricsRegistry()
        let counter = Counter(label: "c", factory: registry)
        let meter = Meter(label: "m", factory: registry)
        await withTaskGroup(of: Void.self) { tasks in
            for _ in 0..<8 {
                tasks.addTask {
                    for _ in 0..<1_000 {
                        counter.increment()
                        meter.increment(by: 0.5)
                    }
                }
            }
        }
        #expect(lines(registry).contains("c_total 8000"))
        #expect(lines(registry).contains("m 4000"))
    }
}
