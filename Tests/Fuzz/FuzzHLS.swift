import HLS
import NIOCore

/// A text that is read as a playlist must, once rendered, be read and rendered the same again.
package func fuzzPlaylist(_ bytes: UnsafeRawBufferPointer) {
    let buffer = unsafe ByteBuffer(bytes: bytes)
    guard let playlist = try? Playlist(parsing: buffer) else { return }
    _ = playlist.uris
    let text = playlist.render()
    switch playlist {
    case .media: precondition((try? MediaPlaylist(parsing: text))?.render() == text)
    case .multivariant: precondition((try? MultivariantPlaylist(parsing: text))?.render() == text)
    }
}
