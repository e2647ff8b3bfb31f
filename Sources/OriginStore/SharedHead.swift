package import NIOCore
import Synchronization

/// The bytes of an object's response head, as all get it who ask alike within one second.
package final class SharedHead: Sendable {
    private struct Kept {
        let unixTime: Int
        let isWhole: Bool
        let bytes: ByteBuffer
    }

    private let kept = Mutex<Kept?>(nil)

    /// What was kept in this second, or else what is made now.
    /// - Parameters:
    ///   - unixTime: seconds; it stands in the head.
    ///   - isWhole: whether the object is complete: its head is another one then.
    package func bytes(unixTime: Int, isWhole: Bool, _ make: () -> ByteBuffer) -> ByteBuffer {
        let bytes = kept.withLock { kept in
            kept.flatMap { $0.unixTime == unixTime && $0.isWhole == isWhole ? $0.bytes : nil }
        }
        if let bytes { return bytes }
        let made = make()
        kept.withLock { $0 = Kept(unixTime: unixTime, isWhole: isWhole, bytes: made) }
        return made
    }
}
