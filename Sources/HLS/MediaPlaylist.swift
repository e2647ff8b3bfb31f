/// A media playlist (`RFC 8216bis §4.4.3, §4.4.4`), as far as Headwater writes and understands it.
package struct MediaPlaylist: Hashable, Sendable {
    /// Whole seconds; every duration rounded to the nearest second is at most this.
    package var targetDuration: Int
    /// The number of the first segment.
    package var mediaSequence = 0
    /// The discontinuity sequence number of the first segment, before its own discontinuity is counted.
    package var discontinuitySequence = 0
    package var segments: [Segment] = []
    /// URIs announced with EXT-X-PREFETCH (`LHLS draft`), behind the segments.
    package var prefetchURIs: [String] = []
    /// URIs that tags name which are not modelled (EXT-X-KEY, EXT-X-PART, EXT-X-PRELOAD-HINT); parsed, never rendered.
    package var otherURIs: [String] = []
    /// Whether every segment can be decoded by itself.
    package var independentSegments = false
    /// Whether no segment will be added any more.
    package var hasEndList = false

    package struct Segment: Hashable, Sendable {
        package var uri: String
        /// 0 to a day.
        package var duration: Duration
        /// Whether EXT-X-DISCONTINUITY stands before it.
        package var isDiscontinuous = false
        package var isGap = false
        package var programDateTime: ProgramDateTime?
        /// The initialization section in force; once there is one it holds until another takes its place.
        package var map: Map?
        package var byteRange: ByteRange?

        package init(
            uri: String, duration: Duration, isDiscontinuous: Bool = false, isGap: Bool = false,
            programDateTime: ProgramDateTime? = nil, map: Map? = nil, byteRange: ByteRange? = nil
        ) {
            self.uri = uri
            self.duration = duration
            self.isDiscontinuous = isDiscontinuous
            self.isGap = isGap
            self.programDateTime = programDateTime
            self.map = map
            self.byteRange = byteRange
        }
    }

    /// EXT-X-MAP (`§4.4.4.5`).
    package struct Map: Hashable, Sendable {
        package var uri: String
        package var byteRange: ByteRange?

        package init(uri: String, byteRange: ByteRange? = nil) {
            self.uri = uri
            self.byteRange = byteRange
        }
    }

    /// A part of a resource in bytes; without an offset it follows the part of the segment before (`§4.4.4.2`).
    package struct ByteRange: Hashable, Sendable {
        package var length: Int
        package var offset: Int?

        package init(length: Int, offset: Int? = nil) {
            self.length = length
            self.offset = offset
        }

        var text: String { offset.map { "\(length)@\($0)" } ?? "\(length)" }
    }

    package init(targetDuration: Int) { self.targetDuration = targetDuration }

    /// The least version that allows what is in it (`§8`); durations have decimals, so at least 3.
    package var version: Int {
        if segments.contains(where: { $0.map != nil }) { return 6 }
        return segments.contains { $0.byteRange != nil } ? 4 : 3
    }

    /// How long all segments last together.
    package var duration: Duration { segments.reduce(.zero) { $0 + $1.duration } }

    /// Every URI it names, in its order, a map once for each run of segments it holds for.
    package var uris: [String] {
        var result: [String] = []
        var map: Map?
        for segment in segments {
            if let next = segment.map, next != map {
                result.append(next.uri)
                map = next
            }
            result.append(segment.uri)
        }
        return result + prefetchURIs + otherURIs
    }

    package func render() -> String {
        var text = "#EXTM3U\n#EXT-X-VERSION:\(version)\n"
        if independentSegments { text += "#EXT-X-INDEPENDENT-SEGMENTS\n" }
        text += "#EXT-X-TARGETDURATION:\(targetDuration)\n#EXT-X-MEDIA-SEQUENCE:\(mediaSequence)\n"
        if discontinuitySequence > 0 { text += "#EXT-X-DISCONTINUITY-SEQUENCE:\(discontinuitySequence)\n" }
        var map: Map?
        for segment in segments {
            if segment.isDiscontinuous { text += "#EXT-X-DISCONTINUITY\n" }
            if let next = segment.map, next != map {
                let range = next.byteRange.map { ",BYTERANGE=\"\($0.text)\"" } ?? ""
                text += "#EXT-X-MAP:URI=\"\(next.uri)\"\(range)\n"
                map = next
            }
            if let time = segment.programDateTime { text += "#EXT-X-PROGRAM-DATE-TIME:\(time.text)\n" }
            if segment.isGap { text += "#EXT-X-GAP\n" }
            text += "#EXTINF:\(segment.duration.playlistSeconds),\n"
            if let range = segment.byteRange { text += "#EXT-X-BYTERANGE:\(range.text)\n" }
            text += "\(segment.uri)\n"
        }
        for uri in prefetchURIs { text += "#EXT-X-PREFETCH:\(uri)\n" }
        if hasEndList { text += "#EXT-X-ENDLIST\n" }
        return text
    }
}
