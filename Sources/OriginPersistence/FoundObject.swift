import NIOCore
package import OriginStore
import SystemPackage

/// A file whose header promises an object; nothing is proven before it is read.
package struct FoundObject {
    /// What is worth more is larger: playlists, then what is newer.
    struct Rank: Comparable {
        var isPlaylist: Bool
        var lastModified: Int

        static func < (left: Self, right: Self) -> Bool {
            left.isPlaylist == right.isPlaylist ? left.lastModified < right.lastModified : right.isPlaylist
        }
    }

    let name: ObjectFileName
    let header: ObjectRecord.Header

    var rank: Rank { Rank(isPlaylist: header.key.isPlaylist, lastModified: header.head.lastModified ?? 0) }

    /// Nil for a file that is no object's, lies under another's name or has not the length its header says.
    package init?(_ name: ObjectFileName, in folder: DataFolder) {
        do {
            let file = try folder.open(name)
            guard let length = try file.length(), let start = try Self.start(of: file),
                let header = start.getSlice(
                    at: ObjectRecord.prefixBytes, length: start.readableBytes - ObjectRecord.prefixBytes)
            else { return nil }
            self.header = try ObjectRecord.read(header: header)
            self.name = name
            guard ObjectFileName(self.header.key) == name, length == start.readableBytes + self.header.bodyBytes else {
                return nil
            }
        } catch {
            return nil
        }
    }

    /// The object, proven to be whole and as it was written; else nil.
    package func read(in folder: DataFolder) -> StoredObject? {
        do {
            let file = try folder.open(name)
            guard let start = try Self.start(of: file) else { return nil }
            let object = try ObjectRecord.decode(start, body: file.read(limitBytes: header.bodyBytes))
            return ObjectFileName(object.key) == name ? object : nil
        } catch {
            return nil
        }
    }

    /// The prefix and the header; nil where the file ends before.
    private static func start(of file: borrowing OpenFile) throws -> ByteBuffer? {
        var start = try file.read(limitBytes: ObjectRecord.prefixBytes)
        guard start.readableBytes == ObjectRecord.prefixBytes else { return nil }
        let headerBytes = try ObjectRecord.headerBytes(prefix: start)
        var header = try file.read(limitBytes: headerBytes)
        guard header.readableBytes == headerBytes else { return nil }
        start.writeBuffer(&header)
        return start
    }
}
