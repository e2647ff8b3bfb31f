package import NIOCore

extension ObjectStore {
    /// Opens an upload.
    /// - Parameter epoch: the publish session's number, where the uploader sends one.
    package func open(
        _ key: ObjectKey, head: ObjectHead, epoch: UInt64?, now: NIODeadline
    ) throws(UploadError) -> ObjectUpload {
        let account = try change { state throws(UploadError) in
            try state.admit(epoch, key, now: now)
            return state.account(of: key)
        }
        try makeRoom(for: GrowingObject.overheadBytes + key.path.utf8.count, in: account, of: key)
        return try change { state throws(UploadError) in
            // Another publisher may have begun since.
            try state.admit(epoch, key, now: now)
            state.uploads += 1
            let number = state.uploads
            let destination = try state.open(key, head: head, number)
            return ObjectUpload(
                key: key, head: head, epoch: epoch, number: number, memory: destination.object.memory,
                destination: destination)
        }
    }

    /// Adds to an upload.
    /// - Throws: ``UploadError``; the upload is then to be broken off.
    package func append(
        _ bytes: ByteBuffer, to upload: inout ObjectUpload, now: NIODeadline
    ) throws(UploadError) {
        let limit = configuration.limitBytes(for: upload.key)
        guard bytes.readableBytes <= limit - upload.receivedBytes else { throw .tooLarge(limitBytes: limit) }
        try makeRoom(for: bytes.readableBytes, in: upload.memory, of: upload.key)
        upload.receivedBytes += bytes.readableBytes
        switch upload.destination {
        case .unseen(let object, var position):
            guard object.append(bytes, at: &position, now: now) == .taken else { throw .superseded }
            upload.destination = .unseen(object, position)
        case .growing(let object, var position):
            switch object.append(bytes, at: &position, now: now) {
            case .taken:
                upload.destination = .growing(object, position)
            case .refused:
                throw .superseded
            case .differs(let common):
                // Readers of the old object are cut; the new one begins with the bytes both have.
                let (fresh, start) = try replacement(of: object, upload)
                var position = start
                guard fresh.append(common, at: &position, now: now) == .taken,
                    fresh.append(bytes, at: &position, now: now) == .taken
                else { throw .superseded }
                upload.destination = .growing(fresh, position)
            }
        }
    }

    /// Puts a new object in the place of one that was given up, and opens it, unless somebody else already has.
    private func replacement(
        of object: GrowingObject, _ upload: ObjectUpload
    ) throws(UploadError) -> (GrowingObject, ObjectUpload.Position) {
        try change { state throws(UploadError) in
            guard state.objects[object.key]?.object === object else { throw .superseded }
            let fresh = state.insert(object.key, head: upload.head, upload: upload.number)
            guard let position = fresh.open(head: upload.head) else { throw .superseded }
            state.recount(object.key)
            return (fresh, position)
        }
    }

    package enum Outcome: Sendable, Equatable {
        case created
        case replaced
    }

    /// The upload ended as its framing promises. A large body is copied meanwhile, which takes its time.
    /// - Parameter unixTime: seconds, for Last-Modified.
    /// - Throws: ``UploadError``; the upload is over then too.
    package func finish(_ upload: ObjectUpload, now: NIODeadline, unixTime: Int) throws(UploadError) -> Outcome {
        // For the copy there is beside the pieces; where nothing can go for it, the pieces do soon.
        try? makeRoom(for: upload.receivedBytes, in: upload.memory, of: upload.key)
        switch upload.destination {
        case .growing(let object, let position):
            switch object.finish(position, in: bodies, now: now, lastModified: unixTime) {
            case .finished:
                settle(object, upload, now: now)
            case .refused:
                throw .superseded
            case .shorter(let body):
                let (fresh, start) = try replacement(of: object, upload)
                var position = start
                guard fresh.append(body, at: &position, now: now) == .taken,
                    fresh.finish(position, in: bodies, now: now, lastModified: unixTime) == .finished
                else { throw .superseded }
                settle(fresh, upload, now: now)
            }
            return .created
        case .unseen(let object, let position):
            let isPlaylist = upload.key.isPlaylist
            guard object.finish(position, in: isPlaylist ? nil : bodies, now: now, lastModified: unixTime) == .finished
            else { throw .superseded }
            return isPlaylist ? try store(object, upload, now: now) : try replace(by: object, upload, now: now)
        }
    }

    /// An object that grew in the index is complete.
    private func settle(_ object: GrowingObject, _ upload: ObjectUpload, now: NIODeadline) {
        change { $0.settle(object, epoch: upload.epoch, now: now) }
    }

    /// Puts a complete object in the place of what has its key, unless a newer upload has written that.
    private func replace(
        by object: GrowingObject, _ upload: ObjectUpload, now: NIODeadline
    ) throws(UploadError) -> Outcome {
        try change { state throws(UploadError) in
            try state.admit(upload.epoch, upload.key, now: now)
            let former = state.objects[object.key]
            guard (former?.upload ?? 0) < upload.number else { throw .superseded }
            try state.makeRoomForObject(object.key)
            state.put(object, upload: upload.number)
            state.settle(object, epoch: upload.epoch, now: now)
            return former == nil ? .created : .replaced
        }
    }

    /// Reads a playlist that came whole, and puts it in the place of its previous version, unless a newer upload has
    /// written that.
    private func store(
        _ object: GrowingObject, _ upload: ObjectUpload, now: NIODeadline
    ) throws(UploadError) -> Outcome {
        guard let body = object.completeBody?.wholeBytes else { throw .superseded }
        let playlist = try StoredPlaylist(key: upload.key, body: body, head: object.head, memory: object.memory)
        try makeRoom(for: 0, in: object.memory, of: upload.key)
        let expiry = now + configuration.playlistLifetime
        return try change { state throws(UploadError) in
            try state.admit(upload.epoch, upload.key, now: now)
            guard (state.playlists[upload.key]?.upload ?? 0) < upload.number else { throw .superseded }
            return try state.store(playlist, of: upload, expiry: expiry, now: now)
        }
    }

    /// The upload's connection ended without the upload's end.
    package func breakOff(_ upload: ObjectUpload, now: NIODeadline) {
        guard case .growing(let object, let position) = upload.destination, object.breakOff(position, now: now) else {
            return
        }
        change { state in
            state.recount(upload.key)
            state.addDeadline(.resumption, upload.key, at: now + configuration.resumeWindow)
        }
    }

    /// Takes an object or a playlist away; false where there is none. Readers of a growing one are cut.
    package func remove(_ key: ObjectKey, epoch: UInt64? = nil, now: NIODeadline) throws(UploadError) -> Bool {
        try change { state throws(UploadError) in
            try state.admit(epoch, key, now: now)
            return state.dropPlaylist(key, now: now) || state.drop(key)
        }
    }
}

extension ObjectStore.State {
    /// Notes a publisher's epoch.
    /// - Throws: ``UploadError/olderEpoch(newest:)`` where a later publisher has written to the folder.
    fileprivate mutating func admit(_ epoch: UInt64?, _ key: ObjectKey, now: NIODeadline) throws(UploadError) {
        guard let epoch else { return }
        let newest = epochs.admit(epoch, folder: key.folder, limit: configuration.epochLimit, now: now)
        if newest > epoch { throw .olderEpoch(newest: newest) }
    }

    /// Where the bytes of an upload go.
    /// - Parameter number: the upload's.
    fileprivate mutating func open(
        _ key: ObjectKey, head: ObjectHead, _ number: UInt64
    ) throws(UploadError) -> ObjectUpload.Destination {
        if key.isPlaylist {
            try makeRoomForObject(key)
        } else {
            let object = objects[key]?.object
            if let object, let position = object.open(head: head) {
                objects[key]?.upload = number
                recount(key)
                return .growing(object, position)
            }
            if object?.isComplete != true {
                try makeRoomForObject(key)
                let fresh = insert(key, head: head, upload: number)
                guard let position = fresh.open(head: head) else { throw .superseded }
                recount(key)
                return .growing(fresh, position)
            }
        }
        let unseen = GrowingObject(key: key, head: head, memory: account(of: key))
        guard let position = unseen.open(head: head) else { throw .superseded }
        return .unseen(unseen, position)
    }
}
