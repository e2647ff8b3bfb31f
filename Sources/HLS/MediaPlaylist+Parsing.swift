package import NIOCore

/// Reading a media playlist, from whoever pushed it.
///
/// Strict where a mistake would mislead a player or the origin: the first line, the target duration, a duration before
/// each URI, numbers in their range, tags of one kind of playlist. Tags and attributes it does not know are ignored. A
/// duration above the target duration is let pass, since ffmpeg and others push such lists and players play them; one
/// of more than a day is refused, since it comes of a broken timeline.
extension MediaPlaylist {
    package init(parsing buffer: ByteBuffer, limits: PlaylistLimits = PlaylistLimits()) throws(PlaylistError) {
        try self.init(parsing: PlaylistLines.text(of: buffer, limits: limits), limits: limits)
    }

    package init(parsing text: String, limits: PlaylistLimits = PlaylistLimits()) throws(PlaylistError) {
        var lines = try PlaylistLines(text, limits: limits)
        var parser = MediaPlaylistParser()
        while let line = try lines.next() {
            do throws(PlaylistError.Reason) {
                try parser.take(line)
            } catch {
                throw lines.error(error)
            }
            guard parser.entries <= limits.entries else { throw lines.error(.tooManyEntries(limit: limits.entries)) }
        }
        if parser.pending.duration != nil { throw lines.error(.missingURI(tag: "EXTINF")) }
        guard let targetDuration = parser.targetDuration else {
            throw PlaylistError(line: 0, reason: .missingTargetDuration)
        }
        self = parser.playlist
        self.targetDuration = targetDuration
    }
}

extension PlaylistError.Reason: Error {}

private struct MediaPlaylistParser {
    var playlist = MediaPlaylist(targetDuration: 0)
    var targetDuration: Int?
    var pending = Pending()
    private var map: MediaPlaylist.Map?
    private var tagsSeen: Set<Substring> = []

    /// What the tags before a URI have said of its segment.
    struct Pending {
        var duration: Duration?
        var isDiscontinuous = false
        var isGap = false
        var programDateTime: ProgramDateTime?
        var byteRange: MediaPlaylist.ByteRange?
    }

    var entries: Int { playlist.segments.count + playlist.prefetchURIs.count + playlist.otherURIs.count }

    mutating func take(_ line: PlaylistLines.Line) throws(PlaylistError.Reason) {
        switch line {
        case .uri(let uri): try takeSegment(uri)
        case .tag(let name, let value): try takeTag(name, value)
        }
    }

    private mutating func takeSegment(_ uri: Substring) throws(PlaylistError.Reason) {
        guard let duration = pending.duration else { throw .missingTag(tag: "EXTINF") }
        playlist.segments.append(
            .init(
                uri: String(uri), duration: duration, isDiscontinuous: pending.isDiscontinuous, isGap: pending.isGap,
                programDateTime: pending.programDateTime, map: map, byteRange: pending.byteRange))
        pending = Pending()
    }

    private mutating func takeTag(_ name: Substring, _ value: Substring) throws(PlaylistError.Reason) {
        switch name {
        case "EXT-X-TARGETDURATION":
            try once(name)
            guard let seconds = PlaylistValue.integer(value), seconds <= 86_400 else {
                throw .invalidValue(tag: String(name))
            }
            targetDuration = seconds
        case "EXT-X-MEDIA-SEQUENCE":
            try beforeSegments(name)
            playlist.mediaSequence = try required(PlaylistValue.integer(value), name)
        case "EXT-X-DISCONTINUITY-SEQUENCE":
            try beforeSegments(name)
            playlist.discontinuitySequence = try required(PlaylistValue.integer(value), name)
        case "EXTINF":
            guard pending.duration == nil else { throw .missingURI(tag: "EXTINF") }
            let seconds = value.prefix { $0 != "," }
            pending.duration = try required(PlaylistValue.seconds(seconds.trimmed), name)
        case "EXT-X-BYTERANGE":
            pending.byteRange = try required(PlaylistValue.byteRange(value), name)
        case "EXT-X-PROGRAM-DATE-TIME":
            pending.programDateTime = try required(ProgramDateTime(parsing: value), name)
        case "EXT-X-DISCONTINUITY": pending.isDiscontinuous = true
        case "EXT-X-GAP": pending.isGap = true
        case "EXT-X-MAP": map = try readMap(value)
        case "EXT-X-INDEPENDENT-SEGMENTS": playlist.independentSegments = true
        case "EXT-X-ENDLIST": playlist.hasEndList = true
        case "EXT-X-PREFETCH":
            guard !value.trimmed.isEmpty else { throw .invalidValue(tag: String(name)) }
            playlist.prefetchURIs.append(String(value.trimmed))
        case "EXT-X-KEY", "EXT-X-PART", "EXT-X-PRELOAD-HINT":
            let attributes = try required(PlaylistValue.attributes(value), name)
            if let uri = attributes["URI"], !uri.isEmpty { playlist.otherURIs.append(String(uri)) }
        case "EXT-X-STREAM-INF", "EXT-X-I-FRAME-STREAM-INF", "EXT-X-MEDIA", "EXT-X-SESSION-DATA", "EXT-X-SESSION-KEY":
            throw .mixedKinds(tag: String(name))
        default: break
        }
    }

    private func readMap(_ value: Substring) throws(PlaylistError.Reason) -> MediaPlaylist.Map {
        let attributes = try required(PlaylistValue.attributes(value), "EXT-X-MAP")
        guard let uri = attributes["URI"], !uri.isEmpty else {
            throw .missingAttribute(tag: "EXT-X-MAP", attribute: "URI")
        }
        guard let text = attributes["BYTERANGE"] else { return .init(uri: String(uri)) }
        return .init(uri: String(uri), byteRange: try required(PlaylistValue.byteRange(text), "EXT-X-MAP"))
    }

    private mutating func beforeSegments(_ name: Substring) throws(PlaylistError.Reason) {
        try once(name)
        guard playlist.segments.isEmpty else { throw .misplacedTag(tag: String(name)) }
    }

    private mutating func once(_ name: Substring) throws(PlaylistError.Reason) {
        guard tagsSeen.insert(name).inserted else { throw .repeatedTag(tag: String(name)) }
    }

    private func required<Value>(_ value: Value?, _ name: Substring) throws(PlaylistError.Reason) -> Value {
        guard let value else { throw .invalidValue(tag: String(name)) }
        return value
    }
}
