import HLS
import Media
import Testing

@Suite struct BandwidthMeterTests {
    private func seconds(_ seconds: Double) -> Timestamp {
        Timestamp(value: Int64(seconds * 90_000), timescale: 90_000)
    }

    @Test func `the peak is that of segments as long as the target duration together`() {
        var meter = BandwidthMeter()
        #expect(meter.peakBitsPerSecond == nil)
        #expect(meter.averageBitsPerSecond == nil)
        meter.record(bytes: 1_000, duration: seconds(0.4), targetDuration: 2)
        #expect(meter.peakBitsPerSecond == nil)  // shorter than half a target duration
        meter.record(bytes: 500, duration: seconds(0.6), targetDuration: 2)
        #expect(meter.peakBitsPerSecond == 12_000)
        meter.record(bytes: 2_000, duration: seconds(2), targetDuration: 2)
        #expect(meter.peakBitsPerSecond == 12_000)
        meter.record(bytes: 4_000, duration: seconds(2), targetDuration: 2)
        #expect(meter.peakBitsPerSecond == 16_000)
        #expect(meter.averageBitsPerSecond == 12_000)
    }

    @Test func `a peak stays when it is over`() {
        var meter = BandwidthMeter()
        meter.record(bytes: 125_000, duration: seconds(1), targetDuration: 1)
        for _ in 0..<1_000 { meter.record(bytes: 125, duration: seconds(1), targetDuration: 1) }
        #expect(meter.peakBitsPerSecond == 1_000_000)
        #expect(meter.averageBitsPerSecond == 1_999)
    }

    @Test func `a fraction of a bit counts as one`() {
        var meter = BandwidthMeter()
        meter.record(bytes: 1, duration: seconds(3), targetDuration: 3)
        #expect(meter.peakBitsPerSecond == 3)
    }

    @Test func `a segment without duration is not counted`() {
        var meter = BandwidthMeter()
        meter.record(bytes: 1_000, duration: seconds(0), targetDuration: 1)
        #expect(meter.averageBitsPerSecond == nil)
    }
}
