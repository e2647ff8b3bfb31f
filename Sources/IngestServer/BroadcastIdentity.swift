/// What sets a broadcast's media apart from that of every other, before and after, on this ingest and on others.
package struct BroadcastIdentity {
    /// The start in milliseconds and 32 random bits, in letters and digits.
    package let id: String
    /// The media and discontinuity sequence number to begin with: half seconds since 2026. A later broadcast of the same
    /// name begins higher than an earlier one has come, with segments of half a second or longer, so that the
    /// numbers of a playlist's URL never fall (`RFC 8216 §6.2.2`).
    package let firstNumber: Int

    private static let year2026: UInt64 = 1_767_225_600_000

    package init(unixMilliseconds: UInt64) {
        id = String(unixMilliseconds, radix: 36) + String(UInt32.random(in: .min ... .max), radix: 36)
        firstNumber = Int((max(unixMilliseconds, Self.year2026) - Self.year2026) / 500)
    }
}
