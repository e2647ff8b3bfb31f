package import Media

/// Where one segment of a broadcast ends and the next begins: the same for all its renditions.
package struct SegmentBoundary: Hashable, Sendable {
    /// Counts a broadcast's boundaries; the first is 1.
    package var number: Int
    /// The segment that ends; nil where none was open.
    package var closed: Segmenter.Closed?
    /// The segment that begins; nil where nothing follows for now.
    package var begun: Begun?

    package struct Begun: Hashable, Sendable {
        /// Segments of the broadcast before it.
        package var ordinal: Int
        /// Discontinuities of the broadcast before it, its own not counted.
        package var earlierDiscontinuities: Int
        package var isDiscontinuous: Bool
        /// Of its first access unit.
        package var presentationTime: Timestamp
        package var programDateTime: ProgramDateTime
        /// In whole seconds.
        package var targetDuration: Int

        package init(
            ordinal: Int, earlierDiscontinuities: Int, isDiscontinuous: Bool, presentationTime: Timestamp,
            programDateTime: ProgramDateTime, targetDuration: Int
        ) {
            self.ordinal = ordinal
            self.earlierDiscontinuities = earlierDiscontinuities
            self.isDiscontinuous = isDiscontinuous
            self.presentationTime = presentationTime
            self.programDateTime = programDateTime
            self.targetDuration = targetDuration
        }
    }

    package init(number: Int, closed: Segmenter.Closed? = nil, begun: Begun? = nil) {
        self.number = number
        self.closed = closed
        self.begun = begun
    }
}
