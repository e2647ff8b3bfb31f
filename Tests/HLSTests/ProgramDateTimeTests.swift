import HLS
import Testing

@Suite struct ProgramDateTimeTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_782_399_999, "2000-02-28T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (951_868_800_001, "2000-03-01T00:00:00.001Z"),
        (1_795_359_263_031, "2026-11-22T14:54:23.031Z"),
        (4_107_542_399_000, "2100-02-28T23:59:59.000Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ])
    func `it reads and writes the same`(milliseconds: Int64, text: String) {
        #expect(ProgramDateTime(millisecondsSince1970: milliseconds).text == text)
        #expect(ProgramDateTime(parsing: text[...])?.millisecondsSince1970 == milliseconds)
    }

    @Test(arguments: [
        ("2026-11-22T14:54:23Z", 0), ("2026-11-22T14:54:23", 0), ("2026-11-22T14:54:23.5Z", 500),
        ("2026-11-22T14:54:23.123456789Z", 123), ("2026-11-22T15:54:23+01:00", 0), ("2026-11-22T15:54:23.007+0100", 7),
        ("2026-11-22T16:54:23+02", 0), ("2026-11-22T09:24:23.000-05:30", 0), ("2026-11-23T00:54:23+10:00", 0),
    ])
    func `other ways to write it are read`(text: String, milliseconds: Int64) {
        #expect(ProgramDateTime(parsing: text[...])?.millisecondsSince1970 == 1_795_359_263_000 + milliseconds)
    }

    @Test(arguments: [
        "", "2026-11-22", "2026-13-22T14:54:23Z", "2026-02-29T14:54:23Z", "2026-11-22T24:00:00Z",
        "2026-11-22T14:60:23Z",
        "2026-11-22T14:54:23.Z", "2026-11-22T14:54:23Zx", "2026-11-22T14:54:23+1", "0000-01-01T00:00:00+01:00",
        "20é6-11-22T14:54:23Z", "+026-11-22T14:54:23Z", "2026-11-22T14:54:23+01:60",
    ])
    func `what is no date is refused`(text: String) {
        #expect(ProgramDateTime(parsing: text[...]) == nil)
    }

    @Test func `every day of 400 years reads as it was written`() {
        for day in Int64(0)..<146_097 {
            let time = ProgramDateTime(millisecondsSince1970: day * 86_400_000)
            guard ProgramDateTime(parsing: time.text[...]) == time else {
                Issue.record("day \(day): \(time.text)")
                return
            }
        }
    }
}
