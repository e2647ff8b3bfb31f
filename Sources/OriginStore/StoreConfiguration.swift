package import NIOCore

/// What the store holds and for how long.
package struct StoreConfiguration: Sendable, Equatable {
    /// Payload bytes held in all; the oldest complete objects go first when it is reached.
    package var memoryLimitBytes = 1 << 30
    /// The largest single object, in bytes.
    package var objectLimitBytes = 256 << 20
    /// The largest playlist, in bytes.
    package var playlistLimitBytes = 1 << 20
    /// How long an upload that broke off may be taken up again.
    package var resumeWindow = TimeAmount.seconds(5)
    /// How long a reader may wait for the first byte of an announced object. Longer than an encoder's resume
    /// window, so that readers outlast its return.
    package var holdLimit = TimeAmount.seconds(40)
    /// How long an object lives that no playlist lists, counted from its last byte.
    package var unlistedLifetime = TimeAmount.seconds(60)
    /// How long a playlist lives that is not stored again.
    package var playlistLifetime = TimeAmount.minutes(5)

    package init() {}
}
