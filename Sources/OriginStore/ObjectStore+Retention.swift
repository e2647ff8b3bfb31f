package import NIOCore

extension ObjectStore {
    /// What ``timePassed(now:)`` did, for the counters.
    package struct Sweep: Sendable, Equatable {
        package var expired = 0
        package var aborted = 0

        package init(expired: Int = 0, aborted: Int = 0) {
            self.expired = expired
            self.aborted = aborted
        }
    }

    /// Deadlines handled under one hold of the lock, so that nobody waits long for it.
    private static let batchCount = 1_024

    /// Expires what is due. Call it about once a second.
    package func timePassed(now: NIODeadline) -> Sweep {
        var sweep = Sweep()
        while change({ $0.expire(now: now, limit: Self.batchCount, &sweep) }) {}
        // Only now have the streams' accounts been relieved of what has just expired.
        change { state in
            state.epochs.timePassed(now: now, lifetime: .hours(1))
            state.dropIdleStreams()
        }
        return sweep
    }
}

extension ObjectStore.State {
    /// Handles what is due; true where there may be more than `limit`.
    fileprivate mutating func expire(now: NIODeadline, limit: Int, _ sweep: inout ObjectStore.Sweep) -> Bool {
        for _ in 0..<limit {
            guard let deadline = deadlines.next(now: now) else { return false }
            let key = deadline.key
            switch deadline.kind {
            case .object:
                guard objects[key]?.expiry == deadline.time, drop(key) else { continue }
                sweep.expired += 1
            case .playlist:
                guard playlists[key]?.expiry == deadline.time, !renew(key, now: now), dropPlaylist(key, now: now) else {
                    continue
                }
                sweep.expired += 1
            case .resumption:
                guard let object = objects[key]?.object,
                    object.timePassed(now: now, resumeWindow: configuration.resumeWindow), drop(key)
                else { continue }
                sweep.aborted += 1
            }
        }
        return true
    }

    /// Lets a playlist live on that lists others of which one does; false where there is none such.
    private mutating func renew(_ key: ObjectKey, now: NIODeadline) -> Bool {
        guard let playlist = playlists[key]?.playlist, let expiry = lastExpiry(of: playlist.renditions), expiry > now
        else { return false }
        playlists[key]?.expiry = expiry
        addDeadline(.playlist, key, at: expiry)
        return true
    }

    /// When the last of these media playlists goes, as it looks now; nil where there is none of them.
    func lastExpiry(of renditions: [ObjectKey]) -> NIODeadline? {
        renditions.lazy.compactMap { self.playlists[$0] }.filter { $0.playlist.kind == .media }.map(\.expiry).max()
    }

    /// Puts a playlist in the place of its previous version: objects it newly lists are announced, those no
    /// playlist lists any more go once no player may ask for them.
    /// - Throws: ``UploadError/tooManyObjects(limit:)`` where the stream may have no further playlist.
    mutating func store(
        _ playlist: StoredPlaylist, of upload: ObjectUpload, expiry: NIODeadline, now: NIODeadline
    ) throws(UploadError) -> ObjectStore.Outcome {
        let key = upload.key
        try makeRoomForObject(key)
        let previous = keep(playlist, at: key, upload: upload.number, expiry: expiry, now: now)
        journal?.stored(StoredObject(key: key, head: playlist.head, body: .bytes(playlist.body), epoch: upload.epoch))
        return previous == nil ? .created : .replaced
    }

    /// Stores a playlist that has room, without a word to the journal. Gives back the previous version.
    mutating func keep(
        _ playlist: StoredPlaylist, at key: ObjectKey, upload: UInt64 = 0, expiry: NIODeadline, now: NIODeadline
    ) -> StoredPlaylist? {
        _ = account(of: key)
        for listed in playlist.listed {
            var listing = listings[listed] ?? ObjectStore.Listing()
            listing.count += 1
            listing.longest = max(listing.longest, playlist.duration)
            listings[listed] = listing
            guard listing.count == 1, let entry = objects[listed] else { continue }
            setUnlisted(false, listed)
            if !entry.isExpiryFixed { objects[listed]?.expiry = nil }
        }
        let previous = playlists.updateValue(
            ObjectStore.PlaylistEntry(playlist: playlist, upload: upload, expiry: expiry), forKey: key)
        addDeadline(.playlist, key, at: expiry)
        if let previous { unlist(previous.playlist, now: now) } else { streams[key.stream]?.count += 1 }
        effects.arrived += waiters.take(key)
        announce(playlist.sequence)
        return previous?.playlist
    }

    /// Takes a playlist away; false where there is none.
    mutating func dropPlaylist(_ key: ObjectKey, now: NIODeadline) -> Bool {
        guard let entry = playlists.removeValue(forKey: key) else { return false }
        unlist(entry.playlist, now: now)
        journal?.removed(key)
        left(key.stream)
        return true
    }

    /// A playlist's version is gone, and with it announced objects that nothing lists any more; their readers are cut.
    private mutating func unlist(_ playlist: StoredPlaylist, now: NIODeadline) {
        for key in playlist.listed {
            guard var listing = listings[key] else { continue }
            listing.count -= 1
            listings[key] = listing.count > 0 ? listing : nil
            guard listing.count == 0, let entry = objects[key] else { continue }
            if entry.place != nil {
                setUnlisted(true, key)
                guard !entry.isExpiryFixed else { continue }
                // A player that has just fetched the old version may still come (`RFC 8216 §6.2.2`).
                let target = TimeAmount.seconds(Int64(min(playlist.targetDuration ?? 1, 86_400)))
                setExpiry(now + listing.longest + target, of: key)
            } else if entry.object.isAnnounced {
                _ = drop(key)
            }
        }
    }

    /// Makes readable in advance what a playlist lists behind its last started object, as far as their streams have
    /// room. What it lists before that and nobody holds was lost, and is not worth waiting for.
    private mutating func announce(_ sequence: [ObjectKey]) {
        let started = sequence.lastIndex { key in objects[key].map { !$0.object.isAnnounced } ?? false } ?? -1
        for (index, key) in sequence.enumerated() {
            if index < started, let object = objects[key]?.object, object.isAnnounced {
                _ = drop(key)
            } else if index > started, index - started <= configuration.announcedLimit, objects[key] == nil,
                !key.isPlaylist, hasRoomForObject(key.stream),
                account(of: key).heldBytes < configuration.streamShareBytes
            {
                let head = ObjectHead(
                    contentType: ObjectHead.contentType(fileExtension: key.fileExtension), entityTag: "")
                _ = insert(key, head: head)
            }
        }
    }
}
