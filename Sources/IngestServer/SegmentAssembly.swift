package import HLS
package import Media

/// Puts a rendition's video and the audio it shares with others into its segments.
///
/// The boundary stands in the video's order; audio says behind which boundary it came, and may come before the video
/// that is still being encoded.
///
/// | event | what comes out |
/// |---|---|
/// | a boundary | the open segment completes, and the next is awaited |
/// | a video packet, or audio where there is no video | the awaited segment begins with it; audio that waited follows |
/// | another boundary while one is awaited | that one begins all the same, with what audio there is: numbers stay equal |
/// | audio behind a boundary that video has not reached | waits; ``audioLimit`` packets at most |
/// | audio that has waited 1 s for an awaited segment's video | the segment begins with it |
package struct SegmentAssembly {
    package enum Action: Equatable {
        case complete(Segmenter.Closed)
        case begin(SegmentBoundary.Begun)
        case append(MediaPacket)
        /// Nothing follows for now.
        case pause
    }

    /// Audio packets that wait at most.
    package static let audioLimit = 256
    /// How far audio before the first keyframe of a segment belongs to it; encoders send a little of it first.
    private static let earlyAudioSpan = Timestamp.milliseconds(500)
    /// How long audio waits for video that does not come.
    private static let patience = Timestamp.milliseconds(1_000)

    /// Whether segments begin with video.
    package var hasVideo: Bool
    /// Audio packets that found no place.
    package private(set) var droppedAudio = 0
    private var boundary = 0
    private var awaited: SegmentBoundary.Begun?
    private var isOpen = false
    private var audio: [(boundary: Int, packet: MediaPacket)] = []

    package init(hasVideo: Bool) {
        self.hasVideo = hasVideo
    }

    package mutating func boundary(_ next: SegmentBoundary) -> [Action] {
        var actions: [Action] = []
        if let awaited { actions += begin(awaited, with: nil) }
        actions += waitingAudio()
        if isOpen, let closed = next.closed { actions.append(.complete(closed)) }
        isOpen = false
        boundary = next.number
        awaited = next.begun
        if next.begun == nil {
            audio.removeAll { $0.boundary < boundary }
            actions.append(.pause)
        } else if !hasVideo, !audio.isEmpty {
            actions += take()
        }
        return actions
    }

    package mutating func video(_ packet: MediaPacket) -> [Action] {
        if let awaited { return begin(awaited, with: packet) + waitingAudio() }
        return isOpen ? [.append(packet)] : []
    }

    /// - Parameter boundary: the last one before it.
    package mutating func audio(_ packet: MediaPacket, behind boundary: Int) -> [Action] {
        if isOpen, boundary <= self.boundary { return [.append(packet)] }
        if audio.count == Self.audioLimit {
            audio.removeFirst()
            droppedAudio += 1
        }
        audio.append((boundary, packet))
        return take()
    }

    /// Begins an awaited segment with audio where video is not to be waited for.
    private mutating func take() -> [Action] {
        guard let awaited, let first = audio.first(where: { $0.boundary == boundary }) else { return [] }
        let waited = (audio.last?.packet.decodeTime ?? first.packet.decodeTime) - first.packet.decodeTime
        guard !hasVideo || waited >= Self.patience else { return [] }
        return begin(awaited, with: nil) + waitingAudio()
    }

    private mutating func begin(_ begun: SegmentBoundary.Begun, with video: MediaPacket?) -> [Action] {
        awaited = nil
        isOpen = true
        let earliest = begun.presentationTime - Self.earlyAudioSpan
        audio.removeAll { $0.boundary < boundary && $0.packet.decodeTime < earliest }
        return [.begin(begun)] + (video.map { [.append($0)] } ?? [])
    }

    /// What waited for the boundary that has been reached.
    private mutating func waitingAudio() -> [Action] {
        guard isOpen else { return [] }
        var actions: [Action] = []
        var waiting: [(boundary: Int, packet: MediaPacket)] = []
        for (number, packet) in audio {
            if number <= boundary { actions.append(.append(packet)) } else { waiting.append((number, packet)) }
        }
        audio = waiting
        return actions
    }
}
