package import NIOCore
import Synchronization

/// All objects of an origin by their key: who may write them, how long they live, what a reader gets.
///
/// Times come in as arguments; the store has no clock. One lock guards the index, each object has its own for its bytes.
package final class ObjectStore: Sendable {
    package let configuration: StoreConfiguration
    let memory = MemoryAccount()
    let state = Mutex(State())

    struct State {
        var objects: [ObjectKey: Entry] = [:]
        var playlists: [ObjectKey: StoredPlaylist] = [:]
        /// How often and by how long a playlist each key is listed.
        var listings: [ObjectKey: Listing] = [:]
        /// The largest epoch seen for a folder, and when.
        var epochs: [Substring: (epoch: UInt64, seen: NIODeadline)] = [:]
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
        try admit(epoch, folder: key.folder, now: now)
        if ["m3u8", "mpd"].contains(key.fileExtension) {
            return ObjectUpload(key: key, head: head, destination: .atomic(ByteBuffer()))
        }
        let destination = state.withLock { state -> ObjectUpload.Destination in
            if let object = state.objects[key]?.object {
                if let position = object.open(head: head) {
                    state.objects[key]?.expiry = nil
                    return .growing(object, position)
                }
                if object.isComplete { return .atomic(ByteBuffer()) }
            }
            let object = state.insert(key, head: head, memory: memory)
            return .growing(object, object.open(head: head) ?? .init(upload: 0, verified: 0))
        }
        return ObjectUpload(key: key, head: head, destination: destination)
    }

    private func admit(_ epoch: UInt64?, folder: Substring, now: NIODeadline) throws(UploadError) {
        guard let epoch else { return }
        let newest = state.withLock { state -> UInt64 in
            let newest = max(epoch, state.epochs[folder]?.epoch ?? 0)
            state.epochs[folder] = (newest, now)
            return newest
        }
        if newest > epoch { throw .olderEpoch(newest: newest) }
    }

    package func append(_ bytes: ByteBuffer, to upload: inout ObjectUpload) throws(UploadError) {
        guard bytes.readableBytes > 0 else { return }
        let limit = upload.key.fileExtension == "m3u8" ? configuration.playlistLimitBytes : configuration.objectLimitBytes
        guard bytes.readableBytes <= limit - upload.receivedBytes else { throw .tooLarge(limitBytes: limit) }
        try makeRoom(for: bytes.readableBytes)
        upload.receivedBytes += bytes.readableBytes
        switch upload.destination {
        case .atomic(var whole):
            upload.destination = .atomic(ByteBuffer())
            whole.writeImmutableBuffer(bytes)
            upload.destination = .atomic(whole)
        case .growing(let object, var position):
            switch object.append(bytes, at: &position) {
            case .taken:
                upload.destination = .growing(object, position)
            case .refused:
                throw .superseded
            case .differs:
                upload.destination = try replacement(of: object, keeping: position.verified, head: upload.head)
                if case .growing(let object, var position) = upload.destination {
                    _ = object.append(bytes, at: &position)
                    upload.destination = .growing(object, position)
                }
            }
        }
    }

    /// The repeated bytes are others: cuts the readers of the old object and puts a new one in its place that
    /// begins with the bytes both have.
    private func replacement(
        of object: GrowingObject, keeping count: Int, head: ObjectHead
    ) throws(UploadError) -> ObjectUpload.Destination {
        let prefix = object.prefix(count)
        _ = object.abandon()
        let fresh = state.withLock { $0.insert(object.key, head: head, memory: memory) }
        guard var position = fresh.open(head: head) else { throw .superseded }
        if count > 0 { _ = fresh.append(prefix, at: &position) }
        return .growing(fresh, position)
    }

    package enum Outcome: Sendable, Equatable {
        case created
        case replaced
    }

    /// The upload ended as its framing promises.
    /// - Parameter unixTime: seconds, for Last-Modified.
    package func finish(_ upload: ObjectUpload, now: NIODeadline, unixTime: Int) throws(UploadError) -> Outcome {
        switch upload.destination {
        case .atomic(let body):
            if ["m3u8", "mpd"].contains(upload.key.fileExtension) {
                var head = upload.head
                head.lastModified = unixTime
                return store(
                    try StoredPlaylist(key: upload.key, body: body, head: head, now: now), at: upload.key, now: now)
            }
            settle(insertComplete(upload.key, head: upload.head, body: body, unixTime: unixTime), now: now)
            return .replaced
        case .growing(let object, let position):
            if object.finish(position, lastModified: unixTime) {
                settle(object, now: now)
                return .created
            }
            guard position.verified < object.byteCount else { throw .superseded }
            // The whole repeat is shorter than what was held: another object.
            let body = object.prefix(position.verified)
            _ = object.abandon()
            settle(insertComplete(object.key, head: upload.head, body: body, unixTime: unixTime), now: now)
            return .created
        }
    }

    private func insertComplete(_ key: ObjectKey, head: ObjectHead, body: ByteBuffer, unixTime: Int) -> GrowingObject {
        let object = state.withLock { $0.insert(key, head: head, memory: memory) }
        if var position = object.open(head: head) {
            if body.readableBytes > 0 { _ = object.append(body, at: &position) }
            _ = object.finish(position, lastModified: unixTime)
        }
        return object
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
    package func remove(_ key: ObjectKey) -> Bool {
        let (found, object) = state.withLock { state -> (Bool, GrowingObject?) in
            if let playlist = state.playlists.removeValue(forKey: key) {
                let dropped = state.unlist(playlist, now: playlist.storedAt)
                return (true, dropped.first)
            }
            let object = state.objects.removeValue(forKey: key)?.object
            return (object != nil, object)
        }
        _ = object?.abandon()
        return found
    }
}

extension ObjectStore.State {
    /// Puts a new object in the place of whatever has this key.
    mutating func insert(_ key: ObjectKey, head: ObjectHead, memory: MemoryAccount) -> GrowingObject {
        let object = GrowingObject(key: key, head: head, memory: memory)
        objects[key] = ObjectStore.Entry(object: object, order: nextOrder, expiry: nil)
        nextOrder += 1
        return object
    }
}
