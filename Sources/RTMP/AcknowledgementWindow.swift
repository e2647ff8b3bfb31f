/// Counts received bytes and tells when to acknowledge them (`RTMP 1.0 §5.4.3`).
///
/// It does so from the start: Wirecast and FMLE never announce a window and stop sending without acknowledgements.
struct AcknowledgementWindow {
    private let smallestWindow: UInt32
    private var window: UInt32
    private var received: UInt64 = 0
    private var acknowledged: UInt64 = 0

    init(limits: RTMPLimits) {
        smallestWindow = limits.smallestWindowAcknowledgementSize
        window = limits.windowAcknowledgementSize
    }

    /// The peer's Window Acknowledgement Size: it can make the window smaller, not larger.
    mutating func announced(_ bytes: UInt32) {
        window = min(window, max(bytes, smallestWindow))
    }

    /// The sequence number to acknowledge, all bytes modulo 2³²; nil if half a window is not full yet.
    mutating func receive(_ bytes: Int) -> UInt32? {
        received &+= UInt64(clamping: bytes)
        guard received &- acknowledged >= UInt64(window / 2) else { return nil }
        acknowledged = received
        return UInt32(truncatingIfNeeded: received)
    }
}
