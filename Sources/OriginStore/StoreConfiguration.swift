package import NIOCore

/// What the store holds and for how long.
package struct StoreConfiguration: Sendable, Equatable {
    /// Bytes held in all, bookkeeping included; the oldest complete objects go first when it is reached.
    package var memoryLimitBytes = 1 << 30
    /// Bytes one stream may hold, bookkeeping included; nil for half of ``memoryLimitBytes``.
    package var streamMemoryLimitBytes: Int?
    /// Objects and playlists one stream may have, those that are announced or grow included.
    package var streamObjectLimit = 4_096
    /// The largest single object, in bytes.
    package var objectLimitBytes = 256 << 20
    /// The largest playlist, in bytes.
    package var playlistLimitBytes = 1 << 20
    /// How many objects that have not begun one playlist can announce; it may list more.
    package var announcedLimit = 64
    /// Folders whose newest epoch is remembered; beyond it those unused for longest are forgotten.
    package var epochLimit = 16_384
    /// Readers that may wait at a time for objects nobody has announced.
    package var waiterLimit = 16_384
    /// How long an upload that broke off may be taken up again.
    package var resumeWindow = TimeAmount.seconds(5)
    /// How long a reader may wait for the first byte of an announced object. Longer than an encoder's resume
    /// window, so that readers outlast its return.
    package var holdLimit = TimeAmount.seconds(40)
    /// How long an object lives that no playlist lists, counted from its last byte.
    package var unlistedLifetime = TimeAmount.seconds(60)
    /// How long a playlist lives that is not stored again.
    package var playlistLifetime = TimeAmount.minutes(5)
    /// Whether the max-age that an uploader sends with an object is how long it lives, listed or not.
    package var expiresUpstream = false

    package init() {}

    /// The largest body taken for this path, in bytes.
    package func limitBytes(for key: ObjectKey) -> Int {
        key.isPlaylist ? playlistLimitBytes : objectLimitBytes
    }

    /// What one stream may hold, in bytes.
    package var streamShareBytes: Int { streamMemoryLimitBytes ?? memoryLimitBytes / 2 }
}
