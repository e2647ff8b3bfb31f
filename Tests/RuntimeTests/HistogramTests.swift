import CoreMetrics
import Testing

import Runtime

@Suite struct HistogramTests {
    let registry = MetricsRegistry()

    /// The lines of one histogram without its name: labels or suffix, and value.
    func lines(_ name: String) -> [String] {
        registry.exposition().split(separator: "\n").map(String.init)
            .filter { $0.hasPrefix(name) }.map { String($0.dropFirst(name.count)) }
    }

    /// The values of the buckets in the order they are written.
    func buckets(_ name: String) -> [String] {
        lines("\(name)_bucket").map { String($0.split(separator: " ").last ?? "") }
    }

    @Test func `a timer is written with cumulative buckets, sum and count`() {
        let timer = Timer(label: "upload.duration", dimensions: [("route", "segment")], factory: registry)
        timer.recordNanoseconds(1_500_000)
        timer.recordNanoseconds(250_000_000)
        timer.recordNanoseconds(61_000_000_000)
        #expect(registry.exposition().contains("# TYPE upload_duration_seconds histogram\n"))
        #expect(
            lines("upload_duration_seconds") == [
                #"_bucket{route="segment",le="0.001"} 0"#, #"_bucket{route="segment",le="0.0025"} 1"#,
                #"_bucket{route="segment",le="0.005"} 1"#, #"_bucket{route="segment",le="0.01"} 1"#,
                #"_bucket{route="segment",le="0.025"} 1"#, #"_bucket{route="segment",le="0.05"} 1"#,
                #"_bucket{route="segment",le="0.1"} 1"#, #"_bucket{route="segment",le="0.25"} 2"#,
                #"_bucket{route="segment",le="0.5"} 2"#, #"_bucket{route="segment",le="1"} 2"#,
                #"_bucket{route="segment",le="2.5"} 2"#, #"_bucket{route="segment",le="5"} 2"#,
                #"_bucket{route="segment",le="10"} 2"#, #"_bucket{route="segment",le="30"} 2"#,
                #"_bucket{route="segment",le="60"} 2"#, #"_bucket{route="segment",le="+Inf"} 3"#,
                #"_sum{route="segment"} 61.2515"#, #"_count{route="segment"} 3"#,
            ])
    }

    @Test func `a recorder that aggregates takes seconds`() {
        let recorder = Recorder(label: "media.age", factory: registry)
        recorder.record(2)
        recorder.record(0.5)
        #expect(lines("media_age").prefix(1) == [#"_bucket{le="0.001"} 0"#])
        #expect(lines("media_age").suffix(2) == ["_sum 2.5", "_count 2"])
        #expect(buckets("media_age") == Array(repeating: "0", count: 8) + ["1", "1"] + Array(repeating: "2", count: 6))
    }

    @Test func `a bound belongs to its bucket, and every bucket can be reached`() {
        let recorder = Recorder(label: "t", factory: registry)
        for bound in [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] {
            recorder.record(bound)
        }
        recorder.record(60.000_001)
        #expect(buckets("t") == (1...16).map { "\($0)" })
    }

    @Test func `what is no time does no harm`() {
        let recorder = Recorder(label: "t", factory: registry)
        for value in [Double.nan, .infinity, -.infinity] { recorder.record(value) }
        #expect(lines("t_sum") + lines("t_count") == [" 0", " 0"])
        recorder.record(-5)
        Timer(label: "t", factory: registry).recordNanoseconds(.min)
        recorder.record(Double.greatestFiniteMagnitude)
        #expect(buckets("t").first == "1")
        #expect(lines("t_count") == [" 2"])
        #expect(lines("t_seconds_sum") == [" 0"])
    }

    @Test func `a label named like the bounds' own is left out`() {
        Timer(label: "t", dimensions: [("le", "x"), ("a", "b")], factory: registry).recordNanoseconds(1)
        #expect(lines("t_seconds_bucket").first == #"{a="b",le="0.001"} 1"#)
        #expect(lines("t_seconds_count") == [#"{a="b"} 1"#])
    }

    @Test func `nothing is lost between threads, and the last bucket is the count while they record`() async {
        let timer = Timer(label: "t", factory: registry)
        await withTaskGroup(of: Void.self) { tasks in
            for thread in 0..<8 {
                tasks.addTask {
                    for _ in 0..<10_000 { timer.recordNanoseconds(Int64(thread) * 500_000_000) }
                }
            }
            for _ in 0..<20 {
                let counts = buckets("t_seconds").compactMap(Int.init)
                #expect(counts == counts.sorted())
                #expect(lines("t_seconds_count").isEmpty == false)
            }
        }
        #expect(lines("t_seconds_count") == [" 80000"])
        #expect(lines("t_seconds_sum") == [" 140000"])
        #expect(buckets("t_seconds").last == "80000")
    }
}
