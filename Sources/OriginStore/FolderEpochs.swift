package import NIOCore

/// The largest epoch seen in each folder: what tells a publisher's successor from the one it took over from.
package struct FolderEpochs {
    private var newest: [Folder: (epoch: UInt64, seen: NIODeadline)] = [:]

    package init() {}

    package var count: Int { newest.count }

    /// Takes note of an epoch, and tells the folder's largest: larger than this one where it comes too late.
    /// - Parameter limit: folders remembered; half of them, those unused for longest, make room for more.
    package mutating func admit(_ epoch: UInt64, folder: Folder, limit: Int, now: NIODeadline) -> UInt64 {
        if let known = newest[folder] {
            // What is refused does not prolong the newest's memory.
            if known.epoch > epoch { return known.epoch }
        } else if newest.count >= limit {
            for (folder, _) in newest.sorted(by: { $0.value.seen < $1.value.seen }).prefix((newest.count + 1) / 2) {
                newest[folder] = nil
            }
        }
        newest[folder] = (epoch, now)
        return epoch
    }

    /// Forgets what nobody has used for a lifetime.
    package mutating func timePassed(now: NIODeadline, lifetime: TimeAmount) {
        for (folder, entry) in newest where now - entry.seen >= lifetime { newest[folder] = nil }
    }
}
