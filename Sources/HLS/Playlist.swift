package import NIOCore

/// A playlist of either kind.
package enum Playlist: Hashable, Sendable {
    case media(MediaPlaylist)
    case multivariant(MultivariantPlaylist)

    package init(parsing buffer: ByteBuffer, limits: PlaylistLimits = PlaylistLimits()) throws(PlaylistError) {
        try self.init(parsing: PlaylistLines.text(of: buffer, limits: limits), limits: limits)
    }

    /// Reads a playlist; the first tag that belongs in one kind alone tells which it is (`RFC 8216bis §4.4`).
    package init(parsing text: String, limits: PlaylistLimits = PlaylistLimits()) throws(PlaylistError) {
        var lines = try PlaylistLines(text, limits: limits)
        while let line = try lines.next() {
            guard case .tag(let name, _) = line else { continue }
            switch name {
            case "EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE", "EXTINF":
                self = .media(try MediaPlaylist(parsing: text, limits: limits))
                return
            case "EXT-X-STREAM-INF", "EXT-X-I-FRAME-STREAM-INF", "EXT-X-MEDIA":
                self = .multivariant(try MultivariantPlaylist(parsing: text, limits: limits))
                return
            default: continue
            }
        }
        throw PlaylistError(line: 0, reason: .unknownKind)
    }

    /// Every URI it names, as it stands there: segments, maps, announced segments, variants and those of other tags.
    package var uris: [String] {
        switch self {
        case .media(let playlist): playlist.uris
        case .multivariant(let playlist): playlist.uris
        }
    }

    package func render() -> String {
        switch self {
        case .media(let playlist): playlist.render()
        case .multivariant(let playlist): playlist.render()
        }
    }
}
