import NIOCore
import OriginStore
import Synchronization
import Testing

/// Keeps what it is told, and notes what it should not have been told.
final class RecordingJournal: StoreJournal {
    struct State {
        var objects: [ObjectKey: StoredObject] = [:]
        /// Every version ever told of, by its entity tag.
        var versions: Set<String> = []
        var removals = 0
        var faults: [String] = []
    }

    private let state = Mutex(State())

    var objects: [ObjectKey: StoredObject] { state.withLock(\.objects) }
    var removals: Int { state.withLock(\.removals) }
    var faults: [String] { state.withLock(\.faults) }

    func stored(_ object: StoredObject) {
        state.withLock { state in
            if !state.versions.insert(object.head.entityTag).inserted {
                state.faults.append("\(object.key.path) \(object.head.entityTag) was told of twice")
            }
            if object.head.lastModified == nil { state.faults.append("\(object.key.path) has no time") }
            state.objects[object.key] = object
        }
    }

    func removed(_ key: ObjectKey) {
        state.withLock { state in
            state.removals += 1
            if state.objects.removeValue(forKey: key) == nil {
                state.faults.append("\(key.path) was removed and is not known")
            }
        }
    }
}

extension ObjectStore {
    /// What is complete of these keys.
    func complete(_ keys: [ObjectKey]) -> [ObjectKey: StoredObject] {
        var complete: [ObjectKey: StoredObject] = [:]
        for key in keys {
            switch find(key) {
            case .playlist(let playlist):
                complete[key] = StoredObject(key: key, head: playlist.head, body: .bytes(playlist.body))
            case .complete(_, let head, let body):
                complete[key] = StoredObject(key: key, head: head, body: body)
            case .growing, .missing: continue
            }
        }
        return complete
    }
    /// What there is of these keys, each asked for by itself.
    func counted(_ keys: [ObjectKey]) -> ObjectCounts {
        var counts = ObjectCounts()
        for key in keys {
            switch find(key) {
            case .complete(let object, _, _), .growing(let object): counts[object.phase] += 1
            case .playlist, .missing: continue
            }
        }
        return counts
    }
}
