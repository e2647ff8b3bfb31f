/// What a playlist from elsewhere may cost.
package struct PlaylistLimits: Sendable {
    /// The whole text; 8 MiB.
    package var bytes = 8 << 20
    /// One line; 16 KiB.
    package var lineBytes = 16 << 10
    /// Segments, variants, prefetched segments and URIs of other tags, together.
    package var entries = 100_000

    package init() {}
}
