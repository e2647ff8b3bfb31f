import Crypto

/// The SHA-256 digest of a token, which is all that is kept of it.
struct TokenDigest: Sendable, Hashable {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    init(_ token: some Collection<UInt8>) {
        for (index, byte) in SHA256.hash(data: Array(token)).enumerated() {
            let bits = UInt64(byte) << UInt64(index % 8 * 8)
            switch index / 8 {
            case 0: words.0 |= bits
            case 1: words.1 |= bits
            case 2: words.2 |= bits
            default: words.3 |= bits
            }
        }
    }

    /// All bits where the digests are equal, none where they differ; found without a branch on either.
    func equalityMask(_ other: TokenDigest) -> UInt64 {
        let difference =
            (words.0 ^ other.words.0) | (words.1 ^ other.words.1) | (words.2 ^ other.words.2)
            | (words.3 ^ other.words.3)
        return ((difference | (0 &- difference)) >> 63) &- 1
    }

    static func == (one: TokenDigest, other: TokenDigest) -> Bool { one.equalityMask(other) != 0 }

    func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}
