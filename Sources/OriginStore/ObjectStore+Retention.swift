package import NIOCore
import Synchronization

extension ObjectStore {
    /// Puts a playlist in the place of its previous version: objects it newly lists are announced, those no
    /// playlist lists any more go once no player may ask for them.
    func store(_ playlist: StoredPlaylist, at key: ObjectKey, now: NIODeadline) -> Outcome {
        let (outcome, cut) = state.withLock { state -> (Outcome, [GrowingObject]) in
            for listed in playlist.listed {
                state.listings[listed, default: Listing()].count += 1
                let longest = state.listings[listed]?.longest ?? .zero
                state.listings[listed]?.longest = max(longest, playlist.duration)
                state.objects[listed]?.expiry = nil
            }
            let previous = state.playlists.updateValue(playlist, forKey: key)
            var cut = previous.map { state.unlist($0, now: now) } ?? []
            cut += state.announce(playlist.sequence, limit: configuration.announcedLimit, memory: memory)
            return (previous == nil ? .created : .replaced, cut)
        }
        for object in cut { _ = object.abandon() }
        return outcome
    }

    /// What ``timePassed(now:)`` did, for the counters.
    package struct Sweep: Sendable, Equatable {
        package var expired = 0
        package var aborted = 0

        package init(expired: Int = 0, aborted: Int = 0) {
            self.expired = expired
            self.aborted = aborted
        }
    }

    /// Expires what is due. Call it about once a second.
    package func timePassed(now: NIODeadline) -> Sweep {
        var sweep = Sweep()
        let (cut, objects) = state.withLock { state -> ([GrowingObject], [GrowingObject]) in
            var cut: [GrowingObject] = []
            for (key, playlist) in state.playlists where now - playlist.storedAt >= configuration.playlistLifetime {
                state.playlists[key] = nil
                cut += state.unlist(playlist, now: now)
                sweep.expired += 1
            }
            for (key, entry) in state.objects {
                guard let expiry = entry.expiry, expiry <= now, entry.object.isComplete else { continue }
                state.objects[key] = nil
                sweep.expired += 1
            }
            state.epochs.timePassed(now: now, lifetime: .hours(1))
            return (cut, state.objects.values.map(\.object))
        }
        for object in cut { _ = object.abandon() }
        for object in objects where object.timePassed(now: now, resumeWindow: configuration.resumeWindow) {
            sweep.aborted += 1
            state.withLock { state in
                if state.objects[object.key]?.object === object { state.objects[object.key] = nil }
            }
        }
        return sweep
    }

    /// Expires the oldest complete objects until `count` more bytes fit.
    /// - Throws: ``UploadError/outOfMemory`` where that is not enough.
    func makeRoom(for count: Int) throws(UploadError) {
        let limit = configuration.memoryLimitBytes - count
        guard memory.heldBytes > limit else { return }
        state.withLock { state in
            // Somewhat more than asked for, so that not every append has to search.
            var excess = memory.heldBytes - limit + configuration.memoryLimitBytes / 64
            let complete = state.objects.values.filter { $0.object.isComplete }.sorted { $0.order < $1.order }
            for entry in complete {
                guard excess > 0 else { break }
                excess -= entry.object.byteCount + GrowingObject.overheadBytes
                state.objects[entry.object.key] = nil
            }
        }
        guard memory.heldBytes <= limit else { throw .outOfMemory }
    }
}

extension ObjectStore.State {
    /// A playlist's version is gone. Gives back announced objects that nothing lists any more; their readers are cut.
    mutating func unlist(_ playlist: StoredPlaylist, now: NIODeadline) -> [GrowingObject] {
        var cut: [GrowingObject] = []
        for key in playlist.listed {
            guard var listing = listings[key] else { continue }
            listing.count -= 1
            listings[key] = listing.count > 0 ? listing : nil
            guard listing.count == 0, let object = objects[key]?.object else { continue }
            if object.isAnnounced {
                objects[key] = nil
                cut.append(object)
            } else {
                // A player that has just fetched the old version may still come (`RFC 8216 §6.2.2`).
                let target = TimeAmount.seconds(Int64(min(playlist.targetDuration ?? 1, 86_400)))
                objects[key]?.expiry = now + listing.longest + target
            }
        }
        return cut
    }

    /// Makes readable in advance what a playlist lists behind its last started object. What it lists before
    /// that and nobody holds was lost, and is not worth waiting for: gives back such objects.
    mutating func announce(_ sequence: [ObjectKey], limit: Int, memory: MemoryAccount) -> [GrowingObject] {
        let started = sequence.lastIndex { key in objects[key].map { !$0.object.isAnnounced } ?? false } ?? -1
        var lost: [GrowingObject] = []
        for (index, key) in sequence.enumerated() {
            if index < started, let object = objects[key]?.object, object.isAnnounced {
                objects[key] = nil
                lost.append(object)
            } else if index > started, index - started <= limit, objects[key] == nil {
                let head = ObjectHead(
                    contentType: ObjectHead.contentType(fileExtension: key.fileExtension), entityTag: "")
                _ = insert(key, head: head, memory: memory)
            }
        }
        return lost
    }
}
