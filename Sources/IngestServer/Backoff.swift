/// How long to wait before something that failed is tried again.
package struct Backoff: Sendable, Equatable {
    /// The first wait, which each failure doubles up to the longest.
    package static let shortest = Duration.milliseconds(500)
    package static let longest = Duration.seconds(10)
    /// What ran so long has not failed: the waits begin anew.
    package static let recovery = Duration.seconds(10)

    private var next = Backoff.shortest

    package init() {}

    /// The wait after something that ran for a while.
    package mutating func wait(afterRunning duration: Duration) -> Duration {
        if duration >= Self.recovery { next = Self.shortest }
        defer { next = min(next * 2, Self.longest) }
        return next
    }
}
