package import RTMP
package import Transcode

/// How the ingest listens, what it makes of a stream, and how long it waits.
package struct IngestConfiguration: Sendable, Equatable {
    /// What happens when a stream that is live is published a second time.
    package enum ConflictPolicy: String, CaseIterable, Sendable {
        /// The newcomer continues the broadcast; the old publisher is closed.
        case takeover
        /// The newcomer is refused with `NetStream.Publish.BadName`.
        case refuse
    }

    /// Host and port for RTMP; port 0 takes a free one.
    package var rtmpHost = "0.0.0.0"
    package var rtmpPort = 1935
    package var onConflict = ConflictPolicy.takeover
    /// How long a broadcast without a publisher waits for one before its playlists end.
    package var resumeWindow = Duration.seconds(30)
    /// The shortest segment; a longer keyframe interval makes longer ones.
    package var segmentDuration = Duration.seconds(1)
    /// Segments kept in a playlist.
    package var window = 6
    /// Segments announced ahead of the one being produced; 0 lists complete segments alone.
    package var lhlsAhead = 3
    /// What every stream is made into, in no particular order.
    package var renditions: [RenditionSpec] = [.source]
    /// What is drawn into those that are encoded.
    package var overlay = Overlay.none
    /// What is taken in besides RTMP.
    package var inputs: [InputSource] = []
    /// Whether inputs that could be read faster than they play, other than files, are read at the pace of their times.
    package var paceInputs = false
    /// The stream of the built-in test picture, `APP/STREAM`; nil for none.
    package var testPattern: String?
    package var limits = RTMPLimits()
    /// Publishers at once.
    package var publishersLimit = 1_000
    /// Connections at once, publishing or not.
    package var connectionsLimit: Int { publishersLimit + 1_000 }
    /// Event loop threads.
    package var threads = 1

    package init() {}
}
