package import Media

/// Puts pictures on a grid of equal steps, showing at each step the newest picture there is.
///
/// The grid begins anew, at the picture's own time, with each picture that starts a segment, so that keyframes lie at
/// the source's times in every rendition. No picture waits for a later one: one that comes when its step is taken
/// already is dropped, unless the source then falls silent for so long that it is still the newest at the next step.
///
/// | source | steps | shown |
/// |---|---|---|
/// | 60 a second | 30 | every other picture |
/// | 25 | 50 | each picture, and a step later, once the next has come, again |
/// | 30 by a clock in whole milliseconds | 30 | each picture, at the exact step |
package struct FrameRateConverter: Sendable {
    /// Times are in ticks of 90 kHz, and increase from one to the next over everything a converter gives.
    package struct Pictures: Hashable, Sendable {
        /// When the picture received *before* this one is shown again, ahead of this one.
        package var repeats: [Timestamp] = []
        /// When this one is shown; nil to drop it.
        package var time: Timestamp?
    }

    /// Nil: pictures keep their times.
    private let rate: FrameRate?
    /// A step, in ticks.
    private let step: Double
    private var grid: Grid?
    private var lastReceived: Int64?
    private var lastShown: Int64?

    private struct Grid {
        var start: Int64
        /// The first step that shows nothing yet.
        var next: Int64
    }

    /// As far as the steps of an hour without a segment's start.
    private static let limit: Int64 = 3_600 * 90_000
    private static let second: Int64 = 90_000

    package init(_ rate: FrameRate?) {
        self.rate = rate
        step = rate.map { 90_000 / $0.framesPerSecond } ?? 0
    }

    /// The next picture has nothing to do with those before, and is shown behind them.
    package mutating func restart() {
        grid = nil
        lastReceived = nil
    }

    /// - Parameters:
    ///   - time: when the picture is shown; at or before that of an earlier picture, it is dropped, or shown one tick
    ///     behind it where it starts a segment.
    ///   - fillsGap: whether steps since the last picture are to be filled; not where pictures were dropped on purpose.
    package mutating func receive(_ time: Timestamp, startsSegment: Bool, fillsGap: Bool = true) -> Pictures {
        let ticks = Self.ticks(time)
        defer { lastReceived = max(lastReceived ?? ticks, ticks) }
        guard let rate else { return shownAsIs(ticks, startsSegment) }
        guard let grid, !startsSegment, ticks - grid.start < Self.limit else {
            var pictures = Pictures()
            if fillsGap { pictures.repeats = self.repeats(before: ticks, rate) }
            let start = max(ticks, lastShown.map { $0 + 1 } ?? ticks)
            show(start, in: &pictures)
            self.grid = Grid(start: start, next: 1)
            return pictures
        }
        return onGrid(ticks, grid, rate, fillsGap)
    }

    private mutating func shownAsIs(_ ticks: Int64, _ startsSegment: Bool) -> Pictures {
        var pictures = Pictures()
        if let lastShown, ticks <= lastShown {
            if startsSegment { show(lastShown + 1, in: &pictures) }
        } else {
            show(ticks, in: &pictures)
        }
        return pictures
    }

    private mutating func onGrid(_ ticks: Int64, _ grid: Grid, _ rate: FrameRate, _ fillsGap: Bool) -> Pictures {
        var pictures = Pictures()
        let reached = Int64(((Double(ticks - grid.start) + earliness(ticks)) / step).rounded(.down))
        guard reached >= grid.next else { return pictures }
        if fillsGap {
            let end = min(reached, grid.next + maximumRepeats)
            pictures.repeats = (grid.next..<end).map { Self.time(of: $0, grid, rate) }
        }
        self.grid?.next = reached + 1
        show(Self.time(of: reached, grid, rate).value, in: &pictures)
        return pictures
    }

    /// The steps of the grid that ends which lie at least half a step before the new one begins.
    private func repeats(before start: Int64, _ rate: FrameRate) -> [Timestamp] {
        guard let grid, start > grid.start else { return [] }
        let gap = min(Double(start - grid.start), Double(Self.limit))
        let end = Int64((gap / step - 0.5).rounded(.down)) + 1
        return (grid.next..<max(grid.next, min(end, grid.next + maximumRepeats))).map { Self.time(of: $0, grid, rate) }
    }

    /// How much sooner than its step a picture may come and still be the one to show there: a quarter of a step, or
    /// half of what has passed since the picture before, if that is less, so that a following one would be farther off.
    private func earliness(_ ticks: Int64) -> Double {
        let interval = lastReceived.map { Double(max(ticks - $0, 0)) } ?? step
        return min(step / 4, interval / 2)
    }

    /// One second of them.
    private var maximumRepeats: Int64 { max(1, Int64(Double(Self.second) / step)) }

    private mutating func show(_ ticks: Int64, in pictures: inout Pictures) {
        lastShown = ticks
        pictures.time = Timestamp(value: ticks, timescale: Timestamp.mpegTimescale)
    }

    private static func time(of index: Int64, _ grid: Grid, _ rate: FrameRate) -> Timestamp {
        let offset = Timestamp(value: index * Int64(rate.denominator), timescale: rate.numerator)
        return Timestamp(value: grid.start, timescale: Timestamp.mpegTimescale) + offset
    }

    /// Kept a long way from the ends, so that sums and differences fit.
    private static func ticks(_ time: Timestamp) -> Int64 {
        min(max(time.rescaled(to: Timestamp.mpegTimescale).value, -(1 << 60)), 1 << 60)
    }
}
