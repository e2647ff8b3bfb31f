import HTTPSemantics
import TestSupport
import Testing

@Suite struct HTTPDateTests {
    /// 2026-11-23.
    private static let now = 1_795_000_000

    /// The specification's example in its three forms, and the ends of what can be written.
    @Test(arguments: [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
        ("Sun Nov  6 08:49:37 1994", 784_111_777), ("Sun Nov 16 08:49:37 1994", 784_975_777),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
        ("Tue, 29 Feb 2000 12:34:56 GMT", 951_827_696), ("Sun, 28 Feb 2100 23:59:59 GMT", 4_107_542_399),
        ("Sat, 01 Jan 0000 00:00:00 GMT", -62_167_219_200), ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
        ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800),
        // Two digits are of this century, if not more than 50 years ahead.
        ("Friday, 01-Jan-26 00:00:00 GMT", 1_767_225_600), ("Friday, 01-Jan-76 00:00:00 GMT", 3_345_062_400),
        ("Friday, 01-Jan-77 00:00:00 GMT", 220_924_800),
        // The day of the week is not compared with the date.
        ("Mon, 06 Nov 1994 08:49:37 GMT", 784_111_777),
    ])
    func `a date is read`(text: String, unixTime: Int) {
        #expect(HTTPDate.unixTime(text, now: Self.now) == unixTime)
    }

    @Test(arguments: [
        "", "0", "784111777", "Sun", "Sun,", "Sunday", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ", " Sun, 06 Nov 1994 08:49:37 GMT", "sun, 06 nov 1994 08:49:37 gmt",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 29 Feb 1994 08:49:37 GMT", "Sun, 29 Feb 2100 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 19945 08:49:37 GMT", "Sun, 06 Nov -994 08:49:37 GMT", "Sun, 06 Noy 1994 08:49:37 GMT",
        "Xyz, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT", "Sunday, 06 Nov 94 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994", "Sun Nov  6 08:49:37 1994 GMT", "Sun Nov 06 08:49:37 94",
        "Sun, +6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:3٧ GMT", "Sun, 06\u{301} Nov 1994 08:49:37 GMT",
    ])
    func `what is no date is nil`(text: String) {
        #expect(HTTPDate.unixTime(text, now: Self.now) == nil)
    }

    @Test func `every date that is written is read again`() {
        var random = RandomNumbers(seed: 2)
        for _ in 0..<5_000 {
            let time = Int.random(in: 0...253_402_300_799, using: &random)
            #expect(HTTPDate.unixTime(HTTPDate.text(unixTime: time), now: Self.now) == time)
        }
    }

    @Test func `no text and no clock traps`() {
        var random = RandomNumbers(seed: 3)
        let starts = ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
        for _ in 0..<10_000 {
            var bytes = Array((starts.randomElement(using: &random) ?? "").utf8)
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0x20...0x7F, using: &random)
            }
            let now = [Int.min, -1, 0, Self.now, .max].randomElement(using: &random) ?? 0
            guard let time = HTTPDate.unixTime(String(decoding: bytes, as: UTF8.self), now: now) else { continue }
            #expect((-62_167_219_200...253_402_300_800).contains(time))
        }
    }
}
