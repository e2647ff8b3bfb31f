package import NIOCore

/// Lets through so many log lines a second, and counts the others, so that a peer cannot fill a disk.
package struct LogGate: Sendable {
    private let linesPerSecond: Int
    private var lines = TokenBucket()
    private var heldBack = 0

    /// - Parameter linesPerSecond: in the long run; as many may come at once.
    package init(linesPerSecond: Int) { self.linesPerSecond = linesPerSecond }

    /// A line is to be written.
    /// - Returns: how many were held back since the last one that was let through; nil where this one is held back too.
    package mutating func pass(now: NIODeadline) -> Int? {
        guard lines.take(ratePerSecond: linesPerSecond, burst: linesPerSecond, now: now) else {
            heldBack = heldBack &+ 1
            return nil
        }
        defer { heldBack = 0 }
        return heldBack
    }
}
