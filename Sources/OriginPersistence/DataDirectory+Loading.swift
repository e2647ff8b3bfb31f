import CoreMetrics
import Logging
import NIOCore
package import OriginStore
import SystemPackage

extension DataDirectory {
    /// Reads what was kept, oldest first, media before playlists. To be called once, before anything is stored.
    ///
    /// Playlists, then the newest media are taken up to the limit; the files of all others are removed, as are those that
    /// are not whole.
    /// - Parameter limitBytes: bytes of bodies, at most.
    package func load(limitBytes: Int) -> [StoredObject] {
        var found: [FoundObject] = []
        var corrupt = 0
        for folder in ObjectFileName.folders {
            let names: [String]
            do throws(Errno) {
                names = try self.folder.names(in: folder)
            } catch {
                corrupt += 1
                continue
            }
            for text in names {
                if let name = ObjectFileName(text, in: folder) {
                    if let object = FoundObject(name, in: self.folder) {
                        found.append(object)
                    } else {
                        corrupt += 1
                        discard(name.path)
                    }
                } else if ObjectFileName.isTemporary(text, in: folder) {
                    discard("\(folder)/\(text)")
                }
            }
        }
        found.sort { $0.rank > $1.rank }

        var objects: [StoredObject] = []
        var keys: Set<ObjectKey> = []
        var bytes = 0
        var leftOut = 0
        for candidate in found {
            // Paths that differ in their bytes can be one key; the newer one has it.
            guard candidate.header.bodyBytes <= limitBytes - bytes, !keys.contains(candidate.header.key) else {
                leftOut += 1
                discard(candidate.name.path)
                continue
            }
            guard let object = candidate.read(in: folder) else {
                corrupt += 1
                discard(candidate.name.path)
                continue
            }
            bytes += object.body.readableBytes
            keys.insert(object.key)
            objects.append(object)
        }
        objects.reverse()
        change { work in
            for key in keys { work.found(key) }
        }
        report(objects: objects.count, bytes: bytes, leftOut: leftOut, corrupt: corrupt)
        return objects
    }

    private func report(objects: Int, bytes: Int, leftOut: Int, corrupt: Int) {
        metrics.restored.increment(by: objects)
        metrics.corrupt.increment(by: corrupt)
        let place = Logger.MetadataValue.string(folder.path)
        logger.info(
            "data directory read",
            metadata: [
                "data.directory": place, "objects": "\(objects)", "bytes": "\(bytes)", "left.out": "\(leftOut)",
            ])
        if corrupt > 0 {
            logger.warning(
                "unreadable files were removed from the data directory",
                metadata: ["data.directory": place, "files": "\(corrupt)"])
        }
    }

    /// What cannot be removed is not read either, and found again at the next start.
    private func discard(_ path: String) {
        do throws(Errno) {
            try folder.remove(path)
        } catch {
            logger.debug("file cannot be removed", metadata: ["path": "\(path)", "error": "\(error)"])
        }
    }
}
