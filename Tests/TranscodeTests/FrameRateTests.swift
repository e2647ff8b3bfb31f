import Testing
import Transcode

struct FrameRateTests {
    @Test(
        arguments: [
            ("30", 30, 1), ("12.5", 125, 10), ("30000/1001", 30_000, 1_001), ("29.97", 30_000, 1_001),
            ("59.94", 60_000, 1_001), ("23.976", 24_000, 1_001), ("25.000", 25_000, 1_000), ("240", 240, 1),
        ] as [(String, Int32, Int32)])
    func `a rate is an exact fraction, and television's decimals mean theirs`(
        text: String, numerator: Int32, denominator: Int32
    ) {
        #expect(FrameRate(text) == FrameRate(numerator, denominator))
    }

    @Test(arguments: [
        "", "0", "0/1", "1/0", "-1", "+1", "1/2/3", "30/", "/1", "30.", ".5", "1.0000", "12345678/1", "٣",
    ])
    func `what is no rate is nil`(text: String) {
        #expect(FrameRate(text) == nil)
    }
}
