import NIOCore

extension ObjectStore {
    /// Objects let go of under one hold of the lock, so that nobody waits long for it.
    private static let batchCount = 1_024

    /// Expires the stream's oldest complete objects until `count` more bytes fit its share, then the oldest of all
    /// until they fit the memory limit. Costs two reads where there is room.
    /// - Throws: ``UploadError/streamOutOfMemory(limitBytes:)`` or ``UploadError/outOfMemory`` where that is not enough.
    func makeRoom(for count: Int, in account: MemoryAccount, of key: ObjectKey) throws(UploadError) {
        let share = configuration.streamShareBytes
        while account.keptBytes > share - count {
            let excess = account.keptBytes - (share - count)
            guard change({ $0.dropOldest(excess, of: key.stream, limit: Self.batchCount) }) else {
                throw .streamOutOfMemory(limitBytes: share)
            }
        }
        let limit = configuration.memoryLimitBytes
        while memory.keptBytes > limit - count {
            let excess = memory.keptBytes - (limit - count)
            guard change({ $0.dropOldest(excess, limit: Self.batchCount) }) else { throw .outOfMemory }
        }
    }
}

extension ObjectStore {
    /// Whether there is more than there may be, in all or of this object's stream: readers of what is gone are not to
    /// keep it then.
    package func isFull(for object: GrowingObject) -> Bool {
        memory.heldBytes > configuration.memoryLimitBytes || object.memory.heldBytes > configuration.streamShareBytes
    }
}

extension ObjectStore.State {
    /// Expires the oldest complete objects that take `excess` bytes together, or `limit` of them; false where there
    /// are none.
    fileprivate mutating func dropOldest(_ excess: Int, of stream: Folder? = nil, limit: Int) -> Bool {
        var excess = excess
        var count = 0
        while excess > 0, count < limit {
            let key: ObjectKey?
            if let stream {
                key = streams[stream].flatMap { stream in stream.ages.oldest.flatMap { stream.ages.key(at: $0) } }
            } else {
                key = ages.oldest.flatMap { ages.key(at: $0) }
            }
            guard let key, let object = objects[key]?.object else { break }
            excess -= object.byteCount + GrowingObject.overheadBytes
            count += 1
            _ = drop(key)
        }
        return count > 0
    }

    /// Whether the stream may have another object as it is.
    func hasRoomForObject(_ stream: Folder) -> Bool {
        streams[stream].map { $0.count < configuration.streamObjectLimit } ?? true
    }

    /// Sees to it that an object of this key is within its stream's bound: one that is there counts already, and the
    /// oldest complete one that no playlist lists makes room for a new one.
    /// - Throws: ``UploadError/tooManyObjects(limit:)`` where the stream has none.
    mutating func makeRoomForObject(_ key: ObjectKey) throws(UploadError) {
        let name = key.stream
        guard objects[key] == nil, playlists[key] == nil, !hasRoomForObject(name) else { return }
        guard let stream = streams[name], stream.unlistedCount > 0 else {
            throw .tooManyObjects(limit: configuration.streamObjectLimit)
        }
        var place = stream.ages.oldest
        while let current = place, let oldest = stream.ages.key(at: current) {
            if objects[oldest]?.isUnlisted == true {
                _ = drop(oldest)
                return
            }
            place = stream.ages.place(after: current)
        }
        throw .tooManyObjects(limit: configuration.streamObjectLimit)
    }
}
