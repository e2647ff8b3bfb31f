/// Why a text is not a playlist, and where.
package struct PlaylistError: Error, Hashable, Sendable {
    /// The line at fault, from 1; 0 when it is the text as a whole.
    package var line: Int
    package var reason: Reason

    package init(line: Int, reason: Reason) {
        self.line = line
        self.reason = reason
    }

    package enum Reason: Hashable, Sendable {
        case tooLong(limitBytes: Int)
        case lineTooLong(limitBytes: Int)
        case tooManyEntries(limit: Int)
        case invalidUTF8
        case containsNUL
        case missingHeader
        /// Neither a media segment's nor a variant's tag is there to tell which kind of playlist it is.
        case unknownKind
        /// A tag of the other kind of playlist.
        case mixedKinds(tag: String)
        case missingTargetDuration
        case repeatedTag(tag: String)
        /// A tag that must stand before the first segment.
        case misplacedTag(tag: String)
        case invalidValue(tag: String)
        case missingAttribute(tag: String, attribute: String)
        /// A URI without the tag that must stand before it.
        case missingTag(tag: String)
        /// A tag that needs a URI behind it, and another of its kind, or the end, comes first.
        case missingURI(tag: String)
    }

    /// A name for metrics, one of a handful.
    package var label: String {
        switch reason {
        case .tooLong, .lineTooLong, .tooManyEntries: "too_large"
        case .invalidUTF8, .containsNUL, .missingHeader, .unknownKind, .mixedKinds: "not_a_playlist"
        case .missingTargetDuration, .missingAttribute, .missingTag, .missingURI: "missing"
        case .repeatedTag, .misplacedTag, .invalidValue: "invalid"
        }
    }
}

extension PlaylistError: CustomStringConvertible {
    package var description: String { line > 0 ? "line \(line): \(reason)" : "\(reason)" }
}

extension PlaylistError.Reason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .tooLong(let limit): "the playlist is longer than \(limit) bytes"
        case .lineTooLong(let limit): "the line is longer than \(limit) bytes"
        case .tooManyEntries(let limit): "the playlist has more than \(limit) entries"
        case .invalidUTF8: "the text is not UTF-8"
        case .containsNUL: "the text contains a NUL character"
        case .missingHeader: "the first line must be #EXTM3U, with nothing before it (no byte order mark either)"
        case .unknownKind: "neither #EXT-X-TARGETDURATION nor #EXT-X-STREAM-INF is there: this is no HLS playlist"
        case .mixedKinds(let tag): "#\(tag) belongs in the other kind of playlist (media or multivariant)"
        case .missingTargetDuration: "#EXT-X-TARGETDURATION is missing"
        case .repeatedTag(let tag): "#\(tag) stands here a second time"
        case .misplacedTag(let tag): "#\(tag) must stand before the first segment"
        case .invalidValue(let tag): "#\(tag) has a value that is malformed or out of range"
        case .missingAttribute(let tag, let attribute): "#\(tag) needs a well-formed \(attribute)"
        case .missingTag(let tag): "the URI needs #\(tag) before it"
        case .missingURI(let tag): "#\(tag) needs the line of a URI behind it"
        }
    }
}
