import HTTPSemantics
import Testing

@Suite struct GrowingRangeTests {
    @Test(arguments: [
        ("bytes=0-", 0, nil, "", false), ("bytes=7-", 7, nil, "", false), ("bytes=7-9", 7, 9, "9", false),
        ("bytes=0-9007199254740990", 0, 9_007_199_254_740_990, "9007199254740990", false),
        ("bytes=0-9007199254740991", 0, 9_007_199_254_740_991, "9007199254740991", true),
        ("bytes=5-9223372036854775807", 5, 1 << 53, "9223372036854775807", true),
        ("bytes=5-9223372036854775808", 5, 1 << 53, "9223372036854775808", true),
        ("bytes=5-099999999999999999999999999999", 5, 1 << 53, "099999999999999999999999999999", true),
        (",bytes=5-", nil, nil, "", false), ("bytes=,5-,", 5, nil, "", false),
        // Several, and those counted from an end that is not known.
        ("bytes=0-1,5-6", nil, nil, "", false), ("bytes=-5", nil, nil, "", false), ("bytes=2-1", nil, nil, "", false),
        ("lines=0-", nil, nil, "", false),
    ])
    func `a request for a part of a growing object is read`(
        header: String, first: Int?, last: Int?, lastText: String, isEndless: Bool
    ) {
        let range = GrowingRange(header: header)
        #expect(range?.first == first)
        #expect(range?.last == last)
        #expect((range?.lastText ?? "") == lastText)
        #expect((range?.isEndless ?? false) == isEndless)
    }
}
