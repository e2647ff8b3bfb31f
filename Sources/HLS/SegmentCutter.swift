package import Media

/// Turns what the ``Segmenter`` decides into numbered boundaries with their dates, for all renditions of a broadcast.
package struct SegmentCutter: ~Copyable {
    package enum Decision: Equatable {
        /// The packet belongs to no segment.
        case drop
        /// It belongs to the open segment.
        case append
        /// The packet is the first behind the boundary; where no segment begins there, it belongs to none.
        case boundary(SegmentBoundary)
    }

    private var segmenter: Segmenter
    private var clock = ProgramClock()
    private var boundaries = 0
    private var ordinal = 0
    private var discontinuities = 0

    package init(configuration: Segmenter.Configuration) {
        segmenter = Segmenter(configuration: configuration, tracks: [])
    }

    /// - Parameter now: milliseconds since 1970.
    package mutating func receive(
        track: TrackKind, decodeTime: Timestamp, presentationTime: Timestamp, isKeyframe: Bool, isDiscontinuity: Bool,
        now: Int64
    ) -> Decision {
        switch segmenter.receive(
            track: track, decodeTime: decodeTime, isKeyframe: isKeyframe, isDiscontinuity: isDiscontinuity)
        {
        case .drop: .drop
        case .append: .append
        case .begin(let isDiscontinuous):
            .boundary(boundary(nil, begunAt: presentationTime, isDiscontinuous: isDiscontinuous, now: now))
        case .cut(let closed, let isDiscontinuous):
            .boundary(boundary(closed, begunAt: presentationTime, isDiscontinuous: isDiscontinuous, now: now))
        case .close(let closed):
            .boundary(boundary(closed))
        }
    }

    /// The tracks there are have changed, or the format of one has: what follows begins behind a discontinuity.
    package mutating func formatsChanged(to tracks: Set<TrackKind>) -> SegmentBoundary? {
        (segmenter.expect(tracks) ?? segmenter.discontinuity()).map { boundary($0) }
    }

    /// The publisher has changed or left: what follows begins behind a discontinuity.
    package mutating func interrupted() -> SegmentBoundary? {
        segmenter.discontinuity().map { boundary($0) }
    }

    private mutating func boundary(_ closed: Segmenter.Closed) -> SegmentBoundary {
        boundaries += 1
        return SegmentBoundary(number: boundaries, closed: closed)
    }

    private mutating func boundary(
        _ closed: Segmenter.Closed?, begunAt time: Timestamp, isDiscontinuous: Bool, now: Int64
    ) -> SegmentBoundary {
        let date = clock.time(of: time, now: now, isNew: isDiscontinuous)
        let begun = SegmentBoundary.Begun(
            ordinal: ordinal, earlierDiscontinuities: discontinuities, isDiscontinuous: isDiscontinuous,
            presentationTime: time, programDateTime: ProgramDateTime(millisecondsSince1970: date),
            targetDuration: segmenter.targetDuration)
        boundaries += 1
        ordinal += 1
        if isDiscontinuous { discontinuities += 1 }
        return SegmentBoundary(number: boundaries, closed: closed, begun: begun)
    }
}
