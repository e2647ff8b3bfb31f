import Media

/// The sliding window of a live rendition: what its media playlist says after each event.
///
/// | event | the playlist |
/// |---|---|
/// | `segmentStarted` | lists it, growing, and those announced behind it; with none announced, nothing yet |
/// | `segmentCompleted` | its true duration; the oldest go beyond the window, never below three target durations |
/// | `end` | loses what is announced, gets EXT-X-ENDLIST |
///
/// A segment has its number and name from the moment it is announced; a discontinuity that begins with it is known,
/// and so told, when it starts.
package struct LivePlaylist: Sendable {
    package struct Configuration: Hashable, Sendable {
        /// Complete segments kept, at least 1.
        package var window = 6
        /// Segments announced beyond the growing one; with 0 only complete segments are listed.
        package var announcedSegments = 3
        /// What is assumed of a segment's duration before one is complete.
        package var segmentDuration: Duration = .seconds(1)
        /// The number of the first segment.
        package var firstNumber = 0
        /// The discontinuity sequence number before the first segment.
        package var discontinuitySequence = 0

        package init() {}
    }

    /// A broadcast's names in one rendition, none used twice: `RENDITION-BROADCAST-NUMBER.EXTENSION`.
    package struct Names: Hashable, Sendable {
        package var rendition: String
        package var broadcastID: String
        package var fileExtension: String

        package init(rendition: String, broadcastID: String, fileExtension: String = "ts") {
            self.rendition = rendition
            self.broadcastID = broadcastID
            self.fileExtension = fileExtension
        }

        package func name(of number: Int) -> String { "\(rendition)-\(broadcastID)-\(number).\(fileExtension)" }
    }

    package let names: Names
    /// The number of the next segment to start.
    package private(set) var nextNumber: Int
    package private(set) var targetDuration: Int
    package private(set) var hasEnded = false

    private let configuration: Configuration
    private var complete: [Entry] = []
    private var growing: Entry?
    private var discontinuitySequence: Int
    private var lastDuration: Duration?
    private var expired: [String] = []

    private struct Entry {
        var number: Int
        /// In ticks of 90 kHz; 0 while it is growing.
        var ticks: Int64
        var isDiscontinuous: Bool
        var programDateTime: ProgramDateTime

        var duration: Duration { Timestamp(value: ticks, timescale: Timestamp.mpegTimescale).duration }
    }

    /// More complete segments are never kept than this and the window, however short they are.
    private static let maximumSegments = 1_000

    /// - Parameter targetDuration: the segmenter's, in seconds.
    package init(names: Names, configuration: Configuration = Configuration(), targetDuration: Int) {
        self.names = names
        self.configuration = configuration
        self.targetDuration = targetDuration
        nextNumber = configuration.firstNumber
        discontinuitySequence = configuration.discontinuitySequence
    }
}

/// What happens to it.
extension LivePlaylist {
    /// A segment has got its first packet; gives its name. One still growing is taken to be complete.
    package mutating func segmentStarted(isDiscontinuous: Bool, programDateTime: ProgramDateTime) -> String {
        if growing != nil { complete(lasting: predictedDuration.mpegTicks, targetDuration: targetDuration) }
        let number = nextNumber
        nextNumber += 1
        growing = Entry(number: number, ticks: 0, isDiscontinuous: isDiscontinuous, programDateTime: programDateTime)
        return names.name(of: number)
    }

    /// The growing segment has got its last packet; does nothing when there is none.
    package mutating func segmentCompleted(_ closed: Segmenter.Closed) {
        complete(
            lasting: closed.duration.rescaled(to: Timestamp.mpegTimescale).value,
            targetDuration: closed.targetDuration)
    }

    /// No segment will come any more; one that is still growing is taken off.
    package mutating func end() {
        hasEnded = true
        if let growing { expired.append(names.name(of: growing.number)) }
        growing = nil
    }

    /// The names of started segments that have left the playlist since it was last asked.
    package mutating func takeExpired() -> [String] {
        defer { expired.removeAll() }
        return expired
    }

    private mutating func complete(lasting ticks: Int64, targetDuration: Int) {
        guard var entry = growing else { return }
        growing = nil
        entry.ticks = ticks
        self.targetDuration = targetDuration
        lastDuration = entry.duration
        complete.append(entry)
        trim()
    }

    /// Takes the oldest off, as far as three target durations of complete segments stay (`RFC 8216bis §6.2.2`).
    private mutating func trim() {
        var total = complete.reduce(0) { $0 + $1.ticks }
        let least = 3 * Int64(targetDuration) * 90_000
        while complete.count > max(1, configuration.window), let first = complete.first {
            guard total - first.ticks >= least || complete.count > configuration.window + Self.maximumSegments else {
                return
            }
            total -= first.ticks
            complete.removeFirst()
            expired.append(names.name(of: first.number))
            if first.isDiscontinuous { discontinuitySequence += 1 }
        }
    }
}

/// What it says.
extension LivePlaylist {
    /// The playlist as of now; nil as long as there is nothing to list.
    package var playlist: MediaPlaylist? {
        let listsGrowing = configuration.announcedSegments > 0
        guard !complete.isEmpty || hasEnded || listsGrowing && growing != nil else { return nil }
        var playlist = MediaPlaylist(targetDuration: targetDuration)
        playlist.mediaSequence = complete.first?.number ?? growing?.number ?? nextNumber
        playlist.discontinuitySequence = discontinuitySequence
        playlist.hasEndList = hasEnded
        playlist.segments = complete.map { segment($0, lasting: $0.duration) }
        guard listsGrowing, !hasEnded else { return playlist }
        let predicted = predictedDuration
        if let growing { playlist.segments.append(segment(growing, lasting: predicted)) }
        let step = predicted.mpegTicks / 90
        var time = growing.map { $0.programDateTime.millisecondsSince1970 + step } ?? endOfComplete
        for number in nextNumber..<nextNumber + configuration.announcedSegments {
            let announced = Entry(
                number: number, ticks: 0, isDiscontinuous: false,
                programDateTime: ProgramDateTime(millisecondsSince1970: time))
            playlist.segments.append(segment(announced, lasting: predicted))
            time += step
        }
        return playlist
    }

    /// What a segment that is not complete is said to last: as long as the last one did, within the target duration.
    private var predictedDuration: Duration {
        let duration = lastDuration ?? configuration.segmentDuration
        return duration.roundedSeconds > targetDuration ? .seconds(targetDuration) : duration
    }

    /// When the last complete segment ends, in milliseconds since 1970.
    private var endOfComplete: Int64 {
        complete.last.map { $0.programDateTime.millisecondsSince1970 + $0.ticks / 90 } ?? 0
    }

    private func segment(_ entry: Entry, lasting duration: Duration) -> MediaPlaylist.Segment {
        MediaPlaylist.Segment(
            uri: names.name(of: entry.number), duration: duration, isDiscontinuous: entry.isDiscontinuous,
            programDateTime: entry.programDateTime)
    }
}
