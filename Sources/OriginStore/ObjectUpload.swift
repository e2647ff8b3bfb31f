import NIOCore

/// One PUT or POST on its way into the store. Owned by its connection.
package struct ObjectUpload: Sendable {
    /// How far an upload into a growing object has come.
    struct Position: Sendable {
        /// Which of the object's uploads this is; a larger one has taken over from it.
        let upload: Int
        /// How many bytes are known to be in the object, repeated or new.
        var verified = 0
        /// Where in the held chunks the comparison of a repeat goes on.
        var chunk = 0
        var chunkOffset = 0
    }

    enum Destination: Sendable {
        /// Served as it grows.
        case growing(GrowingObject, Position)
        /// Playlists, and what replaces a complete object: in no index, seen when whole.
        case unseen(GrowingObject, Position)

        var object: GrowingObject {
            switch self {
            case .growing(let object, _), .unseen(let object, _): object
            }
        }
    }

    package let key: ObjectKey
    let head: ObjectHead
    let epoch: UInt64?
    /// Which of the store's uploads this is; it does not overwrite what one with a larger number has written.
    let number: UInt64
    /// The stream's account.
    let memory: MemoryAccount
    var destination: Destination
    package internal(set) var receivedBytes = 0
}

/// Why an upload is not taken, or given up.
package enum UploadError: Error, Equatable {
    /// Headwater-Epoch is no whole number.
    case badEpoch
    /// A publisher with a larger epoch has written to this folder.
    case olderEpoch(newest: UInt64)
    /// The object would exceed the size limit, in bytes.
    case tooLarge(limitBytes: Int)
    /// The memory limit is reached and nothing more can be expired.
    case outOfMemory
    /// The stream's share of the memory is used up and nothing more of its own can be expired.
    case streamOutOfMemory(limitBytes: Int)
    /// The stream has as many objects as it may have, and none that no playlist lists.
    case tooManyObjects(limit: Int)
    /// The playlist does not parse; the text says where and why.
    case playlistRefused(reason: String)
    /// A newer upload of the same path has taken over.
    case superseded

    package var reason: String {
        switch self {
        case .badEpoch:
            "Headwater-Epoch must be a whole number, no larger than the milliseconds since 1970; is a clock wrong?"
        case .olderEpoch(let newest): "a publisher with the larger epoch \(newest) writes this stream"
        case .tooLarge(let limit): "the object is larger than \(limit) bytes"
        case .outOfMemory: "the memory limit is reached; raise --memory-limit or publish less"
        case .streamOutOfMemory(let limit):
            "a stream may hold \(limit) bytes, its share of the memory; raise --stream-memory-limit or publish less"
        case .tooManyObjects(let limit):
            "the stream has \(limit) objects; raise --stream-object-limit, list fewer or delete some"
        case .playlistRefused(let reason): "the playlist is not valid: \(reason)"
        case .superseded: "a newer upload of the same path has taken over"
        }
    }
}
