import NIOCore

extension ObjectStore {
    /// The index, and whatever must change together with it.
    struct State {
        let configuration: StoreConfiguration
        let journal: (any StoreJournal)?
        let memory: MemoryAccount

        var objects: [ObjectKey: Entry] = [:]
        /// Of `objects`, by their entry's phase.
        var counts = ObjectCounts()
        var playlists: [ObjectKey: PlaylistEntry] = [:]
        /// How often and by how long a playlist each key is listed.
        var listings: [ObjectKey: Listing] = [:]
        var streams: [Folder: Stream] = [:]
        /// Streams that had no object when they were last looked at; their account may still be in use.
        var idleStreams: [Folder] = []
        /// Complete objects.
        var ages = AgeList()
        var deadlines = Deadlines()
        var waiters = Waiters()
        var epochs = FolderEpochs()
        /// Uploads there were.
        var uploads: UInt64 = 0
        var effects = Effects()

        init(configuration: StoreConfiguration, journal: (any StoreJournal)?, memory: MemoryAccount) {
            self.configuration = configuration
            self.journal = journal
            self.memory = memory
        }

        mutating func takeEffects() -> Effects {
            let taken = effects
            effects = Effects()
            return taken
        }
    }

    struct Entry {
        let object: GrowingObject
        /// The number of the newest upload that has written it.
        var upload: UInt64 = 0
        /// What it is counted as.
        var phase: ObjectPhase
        /// Where a complete object stands among those of its age, in all and in its stream. The journal knows of those
        /// that have a place.
        var place: (store: Int, stream: Int)?
        /// When it goes; nil while it is not complete or is listed.
        var expiry: NIODeadline?
        /// Whether the uploader has set the expiry, and playlists have no say.
        var isExpiryFixed = false
        /// Whether it is complete and no playlist lists it.
        var isUnlisted = false
    }

    struct PlaylistEntry {
        let playlist: StoredPlaylist
        /// The number of the upload that has written it.
        let upload: UInt64
        var expiry: NIODeadline
    }

    struct Listing {
        var count = 0
        /// The longest playlist that has listed it (`RFC 8216 §6.2.2`).
        var longest = TimeAmount.zero
    }

    /// What is counted of each stream.
    struct Stream {
        let account: MemoryAccount
        /// Objects and playlists.
        var count = 0
        /// Complete objects.
        var ages = AgeList()
        /// Complete objects that no playlist lists.
        var unlistedCount = 0

        /// What a stream takes besides its objects, about.
        static let overheadBytes = 256
    }

    /// What a change of the index brings about outside its lock.
    struct Effects: Sendable {
        /// What the store has let go of; readers of what is not complete are cut.
        var gone: [GrowingObject] = []
        var arrived: [Waiters.Waiter] = []

        func run() {
            for object in gone { object.abandon() }
            Waiters.wake(arrived)
        }
    }
}

// MARK: Objects

extension ObjectStore.State {
    /// The account of a key's stream.
    mutating func account(of key: ObjectKey) -> MemoryAccount {
        if let stream = streams[key.stream] { return stream.account }
        let account = MemoryAccount(parent: memory)
        account.charge(ObjectStore.Stream.overheadBytes)
        let name = Folder(Substring(String(key.stream.path)))
        streams[name] = ObjectStore.Stream(account: account)
        idleStreams.append(name)
        return account
    }

    /// Puts a new object in the place of whatever has this key.
    mutating func insert(_ key: ObjectKey, head: ObjectHead, upload: UInt64 = 0) -> GrowingObject {
        let object = GrowingObject(key: key, head: head, memory: account(of: key))
        put(object, upload: upload)
        return object
    }

    /// Puts an object in the place of whatever has its key. Where that was complete, the new one must be as well, and
    /// settled at once.
    mutating func put(_ object: GrowingObject, upload: UInt64 = 0) {
        let key = object.key
        if let old = objects.removeValue(forKey: key) {
            letGo(old, key)
        } else {
            streams[key.stream]?.count += 1
        }
        let entry = ObjectStore.Entry(object: object, upload: upload, phase: object.phase)
        objects[key] = entry
        counts[entry.phase] += 1
        effects.arrived += waiters.take(key)
    }

    /// An object of the index has its last byte: from now on it has an age and, if no playlist lists it, its time runs.
    mutating func settle(_ object: GrowingObject, epoch: UInt64?, now: NIODeadline) {
        let key = object.key
        guard objects[key]?.object === object, objects[key]?.place == nil else { return }
        place(object, now: now)
        guard let journal, let body = object.completeBody else { return }
        journal.stored(StoredObject(key: key, head: object.head, body: body, epoch: epoch))
    }

    /// Gives a complete object of the index its place and its expiry.
    /// - Parameter ageSeconds: for how long it has been complete.
    mutating func place(_ object: GrowingObject, ageSeconds: Int = 0, now: NIODeadline) {
        let key = object.key
        let stream = key.stream
        setPhase(.complete, key)
        guard var entry = objects[key] else { return }
        entry.place = (ages.append(key), streams[stream]?.ages.append(key) ?? -1)
        entry.isUnlisted = listings[key] == nil
        if entry.isUnlisted {
            streams[stream]?.unlistedCount += 1
            entry.expiry = now + configuration.unlistedLifetime
        }
        if configuration.expiresUpstream, let seconds = object.head.lifetimeSeconds {
            entry.isExpiryFixed = true
            entry.expiry = now + .seconds(Int64(max(0, seconds - ageSeconds)))
        }
        objects[key] = entry
        if let expiry = entry.expiry { addDeadline(.object, key, at: expiry) }
    }

    /// Takes an object out of the index; false where there is none. Its readers are cut if it is not complete.
    mutating func drop(_ key: ObjectKey) -> Bool {
        guard let entry = objects.removeValue(forKey: key) else { return false }
        letGo(entry, key)
        if entry.place != nil { journal?.removed(key) }
        left(key.stream)
        return true
    }

    private mutating func letGo(_ entry: ObjectStore.Entry, _ key: ObjectKey) {
        let stream = key.stream
        counts[entry.phase] -= 1
        if let place = entry.place {
            ages.remove(place.store)
            streams[stream]?.ages.remove(place.stream)
        }
        if entry.isUnlisted { streams[stream]?.unlistedCount -= 1 }
        entry.object.letGo()
        effects.gone.append(entry.object)
    }

    /// A stream has an object or a playlist less.
    mutating func left(_ stream: Folder) {
        streams[stream]?.count -= 1
        if streams[stream]?.count == 0 { idleStreams.append(stream) }
    }

    /// Forgets streams that have no object and whose account nobody uses any more.
    mutating func dropIdleStreams() {
        guard !idleStreams.isEmpty else { return }
        var idle: Set<Folder> = []
        for name in idleStreams {
            guard let stream = streams[name], stream.count == 0 else { continue }
            if stream.account.heldBytes > ObjectStore.Stream.overheadBytes {
                idle.insert(name)
            } else {
                stream.account.release(ObjectStore.Stream.overheadBytes)
                streams[name] = nil
            }
        }
        idleStreams = Array(idle)
    }

    /// Notes whether a complete object is one that no playlist lists.
    mutating func setUnlisted(_ isUnlisted: Bool, _ key: ObjectKey) {
        guard let entry = objects[key], entry.place != nil, entry.isUnlisted != isUnlisted else { return }
        objects[key]?.isUnlisted = isUnlisted
        streams[key.stream]?.unlistedCount += isUnlisted ? 1 : -1
    }

    mutating func setExpiry(_ expiry: NIODeadline, of key: ObjectKey) {
        objects[key]?.expiry = expiry
        addDeadline(.object, key, at: expiry)
    }
}

// MARK: Deadlines

extension ObjectStore.State {
    mutating func addDeadline(_ kind: Deadlines.Deadline.Kind, _ key: ObjectKey, at time: NIODeadline) {
        deadlines.add(kind, key, at: time)
        guard deadlines.isFull else { return }
        let objects = objects
        let playlists = playlists
        deadlines.compact { deadline in
            switch deadline.kind {
            case .object: objects[deadline.key]?.expiry == deadline.time
            case .playlist: playlists[deadline.key]?.expiry == deadline.time
            case .resumption: objects[deadline.key].map { $0.place == nil } ?? false
            }
        }
    }
}
