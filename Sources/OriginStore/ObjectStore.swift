package import NIOCore
import Synchronization

/// All objects of an origin by their key: who may write them, how long they live, what a reader gets.
///
/// Times come in as arguments; the store has no clock. One lock guards the index, each object has its own for its
/// bytes; the index's is taken first. An object that is not complete is in the index, or given up, or unseen.
package final class ObjectStore: Sendable {
    package let configuration: StoreConfiguration
    let memory = MemoryAccount()
    let state = Mutex(State())

    struct State {
        var objects: [ObjectKey: Entry] = [:]
        var playlists: [ObjectKey: StoredPlaylist] = [:]
        /// How often and by how long a playlist each key is listed.
        var listings: [ObjectKey: Listing] = [:]
        var epochs = FolderEpochs()
        /// Rises with each new object, to tell the oldest.
        var nextOrder: UInt64 = 0
    }

    struct Entry {
        let object: GrowingObject
        let order: UInt64
        /// When it goes; nil while it grows or is listed.
        var expiry: NIODeadline?
    }

    struct Listing {
        var count = 0
        /// The longest playlist that has listed it (`RFC 8216 §6.2.2`).
        var longest = TimeAmount.zero
    }

    package init(configuration: StoreConfiguration) {
        self.configuration = configuration
    }

    /// What the memory limit is compared with.
    package var heldBytes: Int { memory.heldBytes }

    /// How many media objects and playlists there are.
    package var counts: (objects: Int, playlists: Int) {
        state.withLock { ($0.objects.count, $0.playlists.count) }
    }

    /// What a GET of a key gets.
    package enum Found {
        case playlist(StoredPlaylist)
        case complete(ObjectHead, ByteBuffer)
        /// Announced, growing or interrupted.
        case growing(GrowingObject)
        case missing
    }

    package func find(_ key: ObjectKey) -> Found {
        let (playlist, object) = state.withLock { ($0.playlists[key], $0.objects[key]?.object) }
        if let playlist { return .playlist(playlist) }
        guard let object, !object.isAborted else { return .missing }
        if let body = object.completeBody { return .complete(object.head, body) }
        return .growing(object)
    }

    // MARK: Uploads

    /// Opens an upload.
    /// - Parameter epoch: the publish session's number, where the uploader sends one.
    package func open(
        _ key: ObjectKey, head: ObjectHead, epoch: UInt64?, now: NIODeadline
    ) throws(UploadError) -> ObjectUpload {
        try admit(epoch, key, now: now)
        try makeRoom(for: GrowingObject.overheadBytes)
        var destination = key.isPlaylist ? nil : openGrowing(key, head: head)
        if destination == nil {
            let unseen = GrowingObject(key: key, head: head, memory: memory)
            destination = unseen.open(head: head).map { .unseen(unseen, $0) }
        }
        guard let destination else { throw .superseded }
        return ObjectUpload(key: key, head: head, epoch: epoch, destination: destination)
    }

    /// Nil where a complete object is to be replaced.
    private func openGrowing(_ key: ObjectKey, head: ObjectHead) -> ObjectUpload.Destination? {
        state.withLock { state in
            if let object = state.objects[key]?.object {
                if let position = object.open(head: head) {
                    state.objects[key]?.expiry = nil
                    return .growing(object, position)
                }
                if object.isComplete { return nil }
            }
            let object = state.insert(key, head: head, memory: memory)
            return object.open(head: head).map { .growing(object, $0) }
        }
    }

    private func admit(_ epoch: UInt64?, _ key: ObjectKey, now: NIODeadline) throws(UploadError) {
        guard let epoch else { return }
        let newest = state.withLock {
            $0.epochs.admit(epoch, folder: key.folder, limit: configuration.epochLimit, now: now)
        }
        if newest > epoch { throw .olderEpoch(newest: newest) }
    }

    /// Adds to an upload.
    /// - Throws: ``UploadError``; the upload is then to be broken off.
    package func append(_ bytes: ByteBuffer, to upload: inout ObjectUpload) throws(UploadError) {
        let limit = configuration.limitBytes(for: upload.key)
        guard bytes.readableBytes <= limit - upload.receivedBytes else { throw .tooLarge(limitBytes: limit) }
        try makeRoom(for: bytes.readableBytes)
        upload.receivedBytes += bytes.readableBytes
        switch upload.destination {
        case .unseen(let object, var position):
            guard object.append(bytes, at: &position) == .taken else { throw .superseded }
            upload.destination = .unseen(object, position)
        case .growing(let object, var position):
            switch object.append(bytes, at: &position) {
            case .taken:
                upload.destination = .growing(object, position)
            case .refused:
                throw .superseded
            case .differs(let common):
                // Readers of the old object are cut; the new one begins with the bytes both have.
                let fresh = try replacement(of: object, head: upload.head)
                guard var position = fresh.open(head: upload.head), fresh.append(common, at: &position) == .taken,
                    fresh.append(bytes, at: &position) == .taken
                else { throw .superseded }
                upload.destination = .growing(fresh, position)
            }
        }
    }

    /// Puts a new object in the place of one that was given up, unless somebody else already has.
    private func replacement(of object: GrowingObject, head: ObjectHead) throws(UploadError) -> GrowingObject {
        let fresh = state.withLock { state -> GrowingObject? in
            guard state.objects[object.key]?.object === object else { return nil }
            return state.insert(object.key, head: head, memory: memory)
        }
        guard let fresh else { throw .superseded }
        return fresh
    }

    package enum Outcome: Sendable, Equatable {
        case created
        case replaced
    }

    /// The upload ended as its framing promises.
    /// - Parameter unixTime: seconds, for Last-Modified.
    /// - Throws: ``UploadError``; the upload is over then too.
    package func finish(_ upload: ObjectUpload, now: NIODeadline, unixTime: Int) throws(UploadError) -> Outcome {
        switch upload.destination {
        case .growing(let object, let position):
            switch object.finish(position, lastModified: unixTime) {
            case .finished:
                settle(object, now: now)
            case .refused:
                throw .superseded
            case .shorter(let body):
                let fresh = try replacement(of: object, head: upload.head)
                guard var position = fresh.open(head: upload.head), fresh.append(body, at: &position) == .taken,
                    fresh.finish(position, lastModified: unixTime) == .finished
                else { throw .superseded }
                settle(fresh, now: now)
            }
            return .created
        case .unseen(let object, let position):
            // Another publisher may have begun since this upload was opened.
            try admit(upload.epoch, upload.key, now: now)
            guard object.finish(position, lastModified: unixTime) == .finished, let body = object.completeBody else {
                throw .superseded
            }
            if upload.key.isPlaylist {
                let playlist = try StoredPlaylist(
                    key: upload.key, body: body, head: object.head, memory: memory, now: now)
                try makeRoom(for: 0)
                return store(playlist, at: upload.key, now: now)
            }
            let displaced = state.withLock { $0.put(object) }
            _ = displaced?.abandon()
            settle(object, now: now)
            return .replaced
        }
    }

    /// An object has its last byte: if no playlist lists it, its time runs from now.
    private func settle(_ object: GrowingObject, now: NIODeadline) {
        state.withLock { state in
            guard state.objects[object.key]?.object === object, state.listings[object.key] == nil else { return }
            state.objects[object.key]?.expiry = now + configuration.unlistedLifetime
        }
    }

    /// The upload's connection ended without the upload's end.
    package func breakOff(_ upload: ObjectUpload, now: NIODeadline) {
        guard case .growing(let object, let position) = upload.destination else { return }
        _ = object.breakOff(position, now: now)
    }

    /// Takes an object or a playlist away; false where there is none. Readers of a growing one are cut.
    package func remove(_ key: ObjectKey, epoch: UInt64? = nil, now: NIODeadline) throws(UploadError) -> Bool {
        try admit(epoch, key, now: now)
        let removed = state.withLock { state -> [GrowingObject]? in
            if let playlist = state.playlists.removeValue(forKey: key) { return state.unlist(playlist, now: now) }
            return state.objects.removeValue(forKey: key).map { [$0.object] }
        }
        for object in removed ?? [] { _ = object.abandon() }
        return removed != nil
    }
}

extension ObjectStore.State {
    /// Puts a new object in the place of whatever has this key, which must take no upload any more.
    mutating func insert(_ key: ObjectKey, head: ObjectHead, memory: MemoryAccount) -> GrowingObject {
        let object = GrowingObject(key: key, head: head, memory: memory)
        _ = put(object)
        return object
    }

    /// Gives back what had the object's key, to be given up.
    mutating func put(_ object: GrowingObject) -> GrowingObject? {
        let entry = ObjectStore.Entry(object: object, order: nextOrder, expiry: nil)
        nextOrder += 1
        return objects.updateValue(entry, forKey: object.key)?.object
    }
}
