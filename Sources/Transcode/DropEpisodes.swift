/// Tells stretches of time in which pictures are dropped from one another, so that each is told once.
package struct DropEpisodes: Hashable, Sendable {
    package enum Event: Hashable, Sendable {
        case began
        /// With the pictures dropped in it.
        case ended(dropped: Int)
    }

    package struct Report: Hashable, Sendable {
        /// Pictures dropped since the last report.
        package var dropped = 0
        package var event: Event?

        package init(dropped: Int = 0, event: Event? = nil) {
            self.dropped = dropped
            self.event = event
        }
    }

    /// How long nothing is dropped before an episode is over, in nanoseconds.
    package static let quiet: Int64 = 5_000_000_000

    private struct Episode: Hashable {
        var dropped = 0
        var last: Int64
        var isTold = false
    }

    private var unreported = 0
    private var episode: Episode?

    /// - Parameter time: in nanoseconds of any clock.
    mutating func note(at time: Int64) {
        unreported += 1
        var current = episode ?? Episode(last: time)
        current.dropped += 1
        current.last = time
        episode = current
    }

    /// What has happened since the last report.
    package mutating func report(now: Int64) -> Report {
        defer { unreported = 0 }
        guard let episode else { return Report(dropped: unreported) }
        if !episode.isTold {
            self.episode?.isTold = true
            return Report(dropped: unreported, event: .began)
        }
        guard now - episode.last >= Self.quiet else { return Report(dropped: unreported) }
        self.episode = nil
        return Report(dropped: unreported, event: .ended(dropped: episode.dropped))
    }
}
