package import NIOCore

/// Where complete objects are kept across restarts, and how carefully.
package struct DataDirectoryConfiguration: Sendable, Equatable {
    /// When a written object counts as kept.
    package enum SyncPolicy: String, Sendable, CaseIterable {
        /// When the system has it: it outlives the process, however that ends, but not a loss of power.
        case never
        /// When the disk has it: it outlives a loss of power too, and writing takes as long as the disk takes.
        case always
    }

    /// The folder; made where it is missing.
    package var path: String
    package var sync: SyncPolicy
    /// Bytes that may wait to be written; newer objects are kept in memory alone while it is reached. A single object
    /// may be larger.
    package var queueLimitBytes = 128 << 20
    /// Objects that may wait to be written.
    package var queueLimitObjects = 16_384
    /// How long what waits may take to be written when the service stops.
    package var stopLimit = TimeAmount.seconds(5)

    package init(path: String, sync: SyncPolicy = .never) {
        self.path = path
        self.sync = sync
    }
}
