import NIOCore
package import OriginStore
package import SystemPackage

/// A file whose header promises an object; nothing is proven before it is read.
package struct FoundObject {
    /// Why a file gives no object.
    package enum Fault: Error, Equatable {
        /// It was read, and is no whole object of its name.
        case damaged
        /// Another version of the origin wrote it.
        case otherVersion
        /// It could not be read this time: what is in it is not known.
        case unreadable(Errno)
    }

    /// What is worth more is larger: playlists, then what is newer.
    struct Rank: Comparable {
        var isPlaylist: Bool
        var lastModified: Int

        static func < (left: Self, right: Self) -> Bool {
            left.isPlaylist == right.isPlaylist ? left.lastModified < right.lastModified : right.isPlaylist
        }
    }

    let name: ObjectFileName
    package let header: StoredObject.Header

    var rank: Rank { Rank(isPlaylist: header.key.isPlaylist, lastModified: header.head.lastModified ?? 0) }

    /// Reads the header. Damaged is also what lies under another's name, or has not the length its header says.
    package init(_ name: ObjectFileName, in folder: DataFolder) throws(Fault) {
        self.name = name
        header = try Self.attempt {
            let file = try folder.open(name)
            guard let length = try file.length() else { throw Fault.damaged }
            var start = try Self.start(of: file)
            let startBytes = start.readableBytes
            start.moveReaderIndex(forwardBy: ObjectRecord.prefixBytes)
            let header = try ObjectRecord.read(header: start)
            guard ObjectFileName(header.key) == name, length == startBytes + header.bodyBytes else {
                throw Fault.damaged
            }
            return header
        }
    }

    /// The object, proven to be whole and as it was written.
    /// - Parameter place: where its body is kept.
    package func read(in folder: DataFolder, at place: BodyPlace) throws(Fault) -> StoredObject {
        try Self.attempt {
            let object = try body(in: folder, at: place) ?? body(in: folder, at: .memory)
            guard let object, object.header == header else { throw Fault.damaged }
            return object
        }
    }

    /// Nil where the file ends before its body, or the place has no room.
    private func body(in folder: DataFolder, at place: BodyPlace) throws -> StoredObject? {
        let file = try folder.open(name)
        let start = try Self.start(of: file)
        let body = try ObjectBody(count: header.bodyBytes, in: place) { limit throws(Errno) in
            try file.read(limitBytes: limit)
        }
        return try body.map { body in try ObjectRecord.decode(start, body: body) }
    }

    /// The prefix and the header.
    private static func start(of file: borrowing OpenFile) throws -> ByteBuffer {
        var start = try file.read(limitBytes: ObjectRecord.prefixBytes)
        guard start.readableBytes == ObjectRecord.prefixBytes else { throw Fault.damaged }
        let headerBytes = try ObjectRecord.headerBytes(prefix: start)
        var header = try file.read(limitBytes: headerBytes)
        guard header.readableBytes == headerBytes else { throw Fault.damaged }
        start.writeBuffer(&header)
        return start
    }

    private static func attempt<Success>(_ step: () throws -> Success) throws(Fault) -> Success {
        do {
            return try step()
        } catch let error as Errno {
            throw .unreadable(error)
        } catch ObjectRecordError.version {
            throw .otherVersion
        } catch {
            throw .damaged
        }
    }
}
