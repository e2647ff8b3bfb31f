/// What sets a broadcast's media apart from that of every other, before and after, on this ingest and on others.
package struct BroadcastIdentity {
    /// The start in milliseconds and 32 random bits, in letters and digits.
    package let id: String
    /// The least media and discontinuity sequence number to begin with: half seconds since 2026. With segments of half a
    /// second or longer, a broadcast begins higher than any of an ingest that ran before has come, so that the numbers
    /// of a playlist's URL do not fall (`RFC 8216 §6.2.2`).
    package let firstNumber: Int

    private static let year2026: UInt64 = 1_767_225_600_000

    package init(unixMilliseconds: UInt64) {
        id = String(unixMilliseconds, radix: 36) + String(UInt32.random(in: .min ... .max), radix: 36)
        firstNumber = Int((max(unixMilliseconds, Self.year2026) - Self.year2026) / 500)
    }
}
