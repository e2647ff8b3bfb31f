/// Holds the renditions of one broadcast against what a player that changes between them relies on.
///
/// What is wrong comes as text, so that a test shows all of it at once, and so that the check can itself be tested.
struct LadderCheck {
    let renditions: [(name: String, segments: [LadderSegment])]
    /// Whether each segment begins with PAT, PMT and a keyframe, as those of the ingest do.
    var checksBeginnings = true

    func problems() -> [String] {
        guard let first = renditions.first, !first.segments.isEmpty else { return ["there is no segment"] }
        var problems = renditions.flatMap { faults(within: $0.name, $0.segments) }
        for rendition in renditions.dropFirst() {
            problems += faults(between: first, and: rendition)
        }
        return problems
    }

    private func faults(within name: String, _ segments: [LadderSegment]) -> [String] {
        var problems: [String] = []
        for (segment, next) in zip(segments, segments.dropFirst()) {
            if next.number != segment.number + 1 {
                problems.append("\(name) \(next.number) is behind \(segment.number)")
            }
            guard !next.isDiscontinuous, let start = segment.firstTime, let end = next.firstTime else { continue }
            let seconds = Double(end - start) / 90_000
            let hasVideo = segment.stream.units.contains(where: \.isVideo)
            // A segment of audio alone begins with the first sound behind the cut, up to 24 ms later.
            if abs(seconds - segment.seconds) > (hasVideo ? 0.001 : 0.025) {
                problems.append("\(name) \(segment.number) lasts \(seconds) s, its EXTINF says \(segment.duration)")
            }
        }
        for segment in segments {
            let outOfSync = segment.stream.packets.count { !$0.isInSync }
            if outOfSync > 0 { problems.append("\(name) \(segment.number) has \(outOfSync) packets that are none") }
            if segment.stream.units.isEmpty { problems.append("\(name) \(segment.number) has no media") }
            if checksBeginnings, !segment.stream.beginsWithTablesAndKeyframe {
                problems.append("\(name) \(segment.number) does not begin with PAT, PMT and a keyframe")
            }
        }
        return problems + continuityFaults(name, segments)
    }

    /// Continuity counters run through a timeline.
    private func continuityFaults(_ name: String, _ segments: [LadderSegment]) -> [String] {
        var problems: [String] = []
        var timeline: [UInt8] = []
        for (index, segment) in segments.enumerated() {
            timeline += segment.stream.packets.flatMap(\.bytes)
            let isLast = index + 1 == segments.count
            guard isLast || segments[index + 1].isDiscontinuous else { continue }
            let gaps = TransportStream(timeline).discontinuities
            if gaps > 0 { problems.append("\(name) up to \(segment.number): \(gaps) breaks of continuity counters") }
            timeline = []
        }
        return problems
    }

    private func faults(
        between first: (name: String, segments: [LadderSegment]), and other: (name: String, segments: [LadderSegment])
    ) -> [String] {
        let numbers = (first.segments.map(\.number), other.segments.map(\.number))
        guard numbers.0 == numbers.1 else {
            return ["\(first.name) has segments \(numbers.0), \(other.name) \(numbers.1)"]
        }
        var problems: [String] = []
        for (one, two) in zip(first.segments, other.segments) {
            func compare<Value: Equatable>(_ what: String, _ values: (Value, Value)) {
                guard values.0 != values.1 else { return }
                problems.append("\(one.number): \(what) \(values.0) in \(first.name), \(values.1) in \(other.name)")
            }
            compare("EXTINF", (one.duration, two.duration))
            compare("discontinuity", (one.isDiscontinuous, two.isDiscontinuous))
            let haveVideo = [one, two].allSatisfy { $0.stream.units.contains(where: \.isVideo) }
            guard haveVideo else { continue }
            compare("first time", (one.firstTime, two.firstTime))
            compare("keyframes", (one.keyframeTimes, two.keyframeTimes))
        }
        return problems
    }
}
