import RTMP

/// A connection that publishes, as its broadcast and the registry know it.
struct Publisher: Sendable {
    /// Larger for a later one; the epoch of its uploads (`push contract`).
    let epoch: UInt64
    /// Ends the publish from our side; any thread may call it.
    let close: @Sendable (RefusalReason) -> Void
}
