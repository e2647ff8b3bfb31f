import HLS
package import NIOCore

/// A playlist as it was stored, whole, with what it lists.
package struct StoredPlaylist: Sendable {
    package enum Kind: Sendable, Equatable {
        case multivariant
        case media
        /// A DASH manifest: kept whole, not read.
        case presentationDescription
    }

    package let kind: Kind
    package let body: ByteBuffer
    package let head: ObjectHead
    /// Seconds; nil for a playlist that has none.
    package let targetDuration: Int?
    /// The media objects it lists, in its order.
    let listed: [ObjectKey]
    /// What the listed segments last together, in nanoseconds.
    let duration: TimeAmount
    var storedAt: NIODeadline

    /// Reads and checks an uploaded playlist.
    /// - Throws: ``UploadError/playlistRefused(reason:)`` with the line and the reason.
    init(key: ObjectKey, body: ByteBuffer, head: ObjectHead, now: NIODeadline) throws(UploadError) {
        self.body = body
        self.head = head
        storedAt = now
        if key.fileExtension == "mpd" {
            guard String(buffer: body).contains("<MPD") else {
                throw .playlistRefused(reason: "there is no MPD element in it")
            }
            kind = .presentationDescription
            listed = []
            targetDuration = nil
            duration = .zero
            return
        }
        do {
            switch try Playlist(parsing: body) {
            case .multivariant:
                kind = .multivariant
                listed = []
                targetDuration = nil
                duration = .zero
            case .media(let playlist):
                kind = .media
                listed = playlist.uris.compactMap { key.resolving($0) }
                targetDuration = playlist.targetDuration
                duration = TimeAmount(min(playlist.duration, .seconds(1_000_000)))
            }
        } catch {
            throw .playlistRefused(reason: "\(error)")
        }
    }
}
