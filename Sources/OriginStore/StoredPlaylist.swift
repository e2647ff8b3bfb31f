import HLS
package import NIOCore
import Synchronization

/// A playlist as it was stored, whole, with what it lists.
package struct StoredPlaylist: Sendable {
    package enum Kind: Sendable, Equatable {
        case multivariant
        case media
        /// A DASH manifest.
        case presentationDescription
    }

    package let kind: Kind
    package let body: ByteBuffer
    package let head: ObjectHead
    /// Seconds; nil for a playlist that has none.
    package let targetDuration: Int?
    /// Every object it lists.
    let listed: [ObjectKey]
    /// Those it has in the order they are produced in: segments, then what it announces.
    let sequence: [ObjectKey]
    /// The playlists that a multivariant playlist lists: it lives as long as one of them.
    let renditions: [ObjectKey]
    /// What the listed segments last together.
    let duration: TimeAmount
    private let compression: PlaylistCompression
    /// That of the body as it was stored, and that of the compressed one.
    package let sharedHead = SharedHead()
    package let compressedHead = SharedHead()

    /// Reads and checks an uploaded playlist.
    /// - Throws: ``UploadError/playlistRefused(reason:)`` with the line and the reason.
    init(
        key: ObjectKey, body: ByteBuffer, head: ObjectHead, memory: MemoryAccount
    ) throws(UploadError) {
        let uris: [String]
        let media: MediaPlaylist?
        (kind, uris, media) = try Self.read(key, body)
        self.body = body
        self.head = head
        targetDuration = media?.targetDuration
        duration = TimeAmount(min(media?.duration ?? .zero, .seconds(1_000_000)))
        guard uris.count <= Self.listedLimit else {
            throw .playlistRefused(reason: "it lists more than \(Self.listedLimit) objects")
        }
        // A playlist keeps and announces what lies below its own folder alone: nobody else's objects.
        let folder = key.folder
        let named = uris.compactMap { key.resolving($0) }.filter(folder.holds)
        listed = named.filter { !$0.isPlaylist }
        renditions = kind == .multivariant ? named.filter(\.isPlaylist) : []
        let produced = media.map { $0.segments.compactMap { $0.isGap ? nil : $0.uri } + $0.prefetchURIs } ?? []
        sequence = produced.compactMap { key.resolving($0) }.filter(folder.holds)
        let listedBytes = named.reduce(0) { $0 + $1.path.utf8.count + Self.listedOverheadBytes }
        let overheadBytes = GrowingObject.overheadBytes + key.path.utf8.count
        compression = PlaylistCompression(baseBytes: overheadBytes + body.readableBytes + listedBytes, on: memory)
    }

    /// The body in another coding, made when it is first asked for and kept with this version.
    /// - Parameter make: gives nil where it cannot be made; it is then asked again the next time.
    package func compressed(_ make: (ByteBuffer) -> ByteBuffer?) -> ByteBuffer? {
        compression.body { make(body) }
    }

    /// Objects one playlist may list.
    private static let listedLimit = 5_000

    /// What a listed object takes here and in the store's index besides its path, about.
    private static let listedOverheadBytes = 256

    /// What it is, and what it names: for a multivariant playlist others and nothing else.
    private static func read(
        _ key: ObjectKey, _ body: ByteBuffer
    ) throws(UploadError) -> (Kind, uris: [String], MediaPlaylist?) {
        if key.fileExtension == "mpd" {
            guard let description = PresentationDescription(body, limit: listedLimit) else {
                throw .playlistRefused(reason: "there is no whole MPD element in it")
            }
            return (.presentationDescription, description.uris, nil)
        }
        do throws(PlaylistError) {
            switch try Playlist(parsing: body) {
            case .multivariant(let playlist): return (.multivariant, playlist.uris, nil)
            case .media(let playlist): return (.media, playlist.uris, playlist)
            }
        } catch {
            throw .playlistRefused(reason: "\(error)")
        }
    }
}

/// What one version of a playlist takes, with its compressed body once there is one.
private final class PlaylistCompression: Sendable {
    private let account: MemoryAccount
    private let baseBytes: Int
    private let made = Mutex<ByteBuffer?>(nil)

    init(baseBytes: Int, on account: MemoryAccount) {
        self.account = account
        self.baseBytes = baseBytes
        account.charge(baseBytes)
    }

    deinit { account.release(baseBytes + made.withLock { $0?.readableBytes ?? 0 }) }

    /// No event loop waits for what another one makes: the first that is made stays.
    func body(_ make: () -> ByteBuffer?) -> ByteBuffer? {
        if let made = made.withLock({ $0 }) { return made }
        guard let fresh = make() else { return nil }
        return made.withLock { made in
            if let made { return made }
            account.charge(fresh.readableBytes)
            made = fresh
            return fresh
        }
    }
}
