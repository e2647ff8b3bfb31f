import MemoryFile
import NIOCore
import Synchronization

/// All objects of an origin by their key: who may write them, how long they live, what a reader gets.
///
/// Times come in as arguments; the store has no clock. One lock guards the index, each object has its own for its
/// bytes; the index's is taken first. An object that is not complete is in the index, or given up, or unseen.
package final class ObjectStore: Sendable {
    package let configuration: StoreConfiguration
    let memory: MemoryAccount
    /// Where the bodies of complete media objects are kept.
    let bodies = MemoryFile()
    private let state: Mutex<State>

    /// - Parameter journal: is told of everything that is complete, but for what ``restore(_:now:unixTime:)`` brings.
    package init(configuration: StoreConfiguration, journal: (any StoreJournal)? = nil) {
        let memory = MemoryAccount()
        self.configuration = configuration
        self.memory = memory
        state = Mutex(State(configuration: configuration, journal: journal, memory: memory))
    }

    /// Changes the index, and does outside its lock what the change brings about.
    func change<Success, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Success
    ) throws(Failure) -> Success where Success: Sendable {
        let (result, effects) = state.withLock { state -> (Result<Success, Failure>, Effects) in
            let result = Result { () throws(Failure) in try body(&state) }
            return (result, state.takeEffects())
        }
        effects.run()
        return try result.get()
    }

    /// What the memory limit is compared with.
    package var heldBytes: Int { memory.heldBytes }

    /// How many media objects and playlists there are.
    package var counts: (objects: Int, playlists: Int) {
        state.withLock { ($0.objects.count, $0.playlists.count) }
    }

    /// How many media objects there are, by where they are in their lives.
    package var objectCounts: ObjectCounts { state.withLock { $0.counts } }

    /// What a GET of a key gets.
    package enum Found {
        case playlist(StoredPlaylist)
        /// A reader keeps the object for as long as it sends the body, so that its memory stays accounted for.
        case complete(GrowingObject, ObjectHead, ObjectBody)
        /// Announced, growing or interrupted.
        case growing(GrowingObject)
        case missing
    }

    package func find(_ key: ObjectKey) -> Found {
        let (playlist, object) = state.withLock { ($0.playlists[key]?.playlist, $0.objects[key]?.object) }
        if let playlist { return .playlist(playlist) }
        guard let object, !object.isAborted else { return .missing }
        if let body = object.completeBody { return .complete(object, object.head, body) }
        return .growing(object)
    }
}
