package import NIOCore

extension ObjectStore {
    /// Takes in what a journal has kept: media first, then playlists, each from the oldest to the newest.
    ///
    /// What no restored playlist lists lives as long as if it had been completed now. What does not parse, does not fit
    /// or is a playlist past its lifetime is left out; of such the journal is told that they are gone, and of nothing
    /// else. Call it before anything is uploaded.
    /// - Parameters:
    ///   - objects: what there is; each is read when its turn comes, and there is room for it.
    ///   - unixTime: seconds.
    ///   - read: reads one with its body at a place; nil where that cannot be done, which the journal knows then.
    /// - Returns: how many complete objects and playlists there are then.
    package func restore(
        _ objects: [StoredObject.Header], now: NIODeadline, unixTime: Int,
        read: (StoredObject.Header, BodyPlace) -> StoredObject?
    ) -> (objects: Int, playlists: Int) {
        let byAge = objects.sorted { ($0.head.lastModified ?? 0) < ($1.head.lastModified ?? 0) }
        func readProven(_ header: StoredObject.Header, _ place: BodyPlace) -> StoredObject? {
            let object = read(header, place)
            if let object, let epoch = object.epoch {
                _ = change {
                    $0.epochs.admit(epoch, folder: object.key.folder, limit: configuration.epochLimit, now: now)
                }
            }
            return object
        }
        for object in byAge where !object.key.isPlaylist {
            restoreMedia(object, now: now, unixTime: unixTime, readProven)
        }
        func isPast(_ header: StoredObject.Header) -> Bool {
            Self.ageSeconds(header, unixTime: unixTime) >= configuration.playlistLifetime.nanoseconds / 1_000_000_000
        }
        // One that is past its own lifetime may live with others that it lists.
        let playlists = byAge.filter(\.key.isPlaylist)
        for object in playlists.filter({ !isPast($0) }) + playlists.filter(isPast) {
            restorePlaylist(object, now: now, unixTime: unixTime, readProven)
        }
        return change { ($0.ages.count, $0.playlists.count) }
    }

    private func restoreMedia(
        _ header: StoredObject.Header, now: NIODeadline, unixTime: Int,
        _ read: (StoredObject.Header, BodyPlace) -> StoredObject?
    ) {
        do throws(UploadError) {
            let sizeBytes = header.bodyBytes
            let limitBytes = configuration.limitBytes(for: header.key)
            guard sizeBytes <= limitBytes else { throw .tooLarge(limitBytes: limitBytes) }
            let shareBytes = configuration.streamShareBytes
            guard sizeBytes <= shareBytes else { throw .streamOutOfMemory(limitBytes: shareBytes) }
            let overheadBytes = GrowingObject.overheadBytes + header.key.path.utf8.count
            // Room first: what is read takes it at once.
            try makeRoom(for: sizeBytes + overheadBytes, in: change { $0.account(of: header.key) }, of: header.key)
            guard let stored = read(header, BodyPlace(file: bodies)) else { return }
            try change { state throws(UploadError) in
                guard state.objects[stored.key] == nil else { throw .superseded }
                try state.makeRoomForObject(stored.key)
                let object = GrowingObject(restoring: stored, in: bodies, memory: state.account(of: stored.key))
                state.put(object)
                state.place(object, ageSeconds: Self.ageSeconds(header, unixTime: unixTime), now: now)
            }
        } catch {
            leaveOut(header.key)
        }
    }

    private func restorePlaylist(
        _ header: StoredObject.Header, now: NIODeadline, unixTime: Int,
        _ read: (StoredObject.Header, BodyPlace) -> StoredObject?
    ) {
        do throws(UploadError) {
            guard header.bodyBytes <= configuration.playlistLimitBytes else {
                throw .tooLarge(limitBytes: configuration.playlistLimitBytes)
            }
            let lifetime = configuration.playlistLifetime
            let age = TimeAmount.seconds(Int64(min(Self.ageSeconds(header, unixTime: unixTime), 1 << 31)))
            guard let stored = read(header, .memory), let body = stored.body.wholeBytes else { return }
            let account = change { $0.account(of: stored.key) }
            let playlist = try StoredPlaylist(key: stored.key, body: body, head: stored.head, memory: account)
            try makeRoom(for: 0, in: account, of: stored.key)
            try change { state throws(UploadError) in
                guard state.playlists[stored.key] == nil,
                    let expiry = age < lifetime ? now + (lifetime - age) : state.lastExpiry(of: playlist.renditions)
                else { throw .superseded }
                try state.makeRoomForObject(stored.key)
                _ = state.keep(playlist, at: stored.key, expiry: expiry, now: now)
            }
        } catch {
            leaveOut(header.key)
        }
    }

    /// Seconds since it was complete, at least 0; as good as for ever where that is not known.
    private static func ageSeconds(_ header: StoredObject.Header, unixTime: Int) -> Int {
        guard let lastModified = header.head.lastModified else { return .max }
        let (age, isOverflow) = unixTime.subtractingReportingOverflow(lastModified)
        return isOverflow ? (lastModified < 0 ? .max : 0) : max(0, age)
    }

    /// Tells the journal of what is not taken in, unless a newer version is here.
    private func leaveOut(_ key: ObjectKey) {
        change { state in
            guard state.playlists[key] == nil, state.objects[key]?.place == nil else { return }
            state.journal?.removed(key)
        }
    }
}
