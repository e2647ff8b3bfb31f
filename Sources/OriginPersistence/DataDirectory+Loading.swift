import CoreMetrics
import Logging
package import OriginStore
import SystemPackage

extension DataDirectory {
    /// Finds what was kept, and has it taken in, each object read when it is asked for. To be called once, before
    /// anything is stored.
    ///
    /// Playlists, then the newest media are offered up to the limit; the files of all others are removed, as are those
    /// that were read and are not whole. What cannot be read, or is another version's, is left where it is.
    /// - Parameters:
    ///   - limitBytes: bytes of bodies, at most.
    ///   - take: gets what there is, media before playlists and the oldest first, and what reads one of them; that gives
    ///     nil where it has turned out not to be whole, or cannot be read.
    package func load<Result>(
        limitBytes: Int,
        _ take: (_ found: [StoredObject.Header], _ read: (StoredObject.Header, BodyPlace) -> StoredObject?) -> Result
    ) -> Result {
        var tally = Tally()
        var found: [FoundObject] = []
        for folder in ObjectFileName.folders {
            let names: [String]
            do throws(Errno) {
                names = try self.folder.names(in: folder)
            } catch {
                tally.unreadFolders += 1
                tally.firstError = tally.firstError ?? error
                continue
            }
            for text in names {
                if let name = ObjectFileName(text, in: folder) {
                    do throws(FoundObject.Fault) {
                        found.append(try FoundObject(name, in: self.folder))
                    } catch {
                        note(error, of: name, &tally)
                    }
                } else if ObjectFileName.isTemporary(text, in: folder) {
                    _ = discard("\(folder)/\(text)")
                }
            }
        }
        let chosen = choose(from: found, limitBytes: limitBytes, &tally)
        change { work in
            for object in chosen { work.found(object.header.key) }
            if tally.unreadable > 0 || tally.unreadFolders > 0 { work.foundUnreadable() }
        }

        let byKey = Dictionary(chosen.map { ($0.header.key, $0) }, uniquingKeysWith: { first, _ in first })
        let result = take(chosen.map(\.header)) { header, place in
            guard let object = byKey[header.key] else { return nil }
            do throws(FoundObject.Fault) {
                let read = try object.read(in: folder, at: place)
                tally.objects += 1
                tally.bytes += header.bodyBytes
                return read
            } catch {
                note(error, of: object.name, &tally)
                return nil
            }
        }
        report(tally)
        return result
    }

    /// What there is room for, media before playlists and the oldest first; removes the files of the rest.
    private func choose(from found: [FoundObject], limitBytes: Int, _ tally: inout Tally) -> [FoundObject] {
        var chosen: [FoundObject] = []
        var bytes = 0
        for object in found.sorted(by: { $0.rank > $1.rank }) {
            guard object.header.bodyBytes <= limitBytes - bytes else {
                tally.leftOut += 1
                _ = discard(object.name.path)
                continue
            }
            bytes += object.header.bodyBytes
            chosen.append(object)
        }
        return chosen.reversed()
    }

    private struct Tally {
        var objects = 0
        var bytes = 0
        var leftOut = 0
        /// Files that were read and are not whole, and how many of them are gone.
        var damaged = 0
        var removed = 0
        /// Files that could not be read, or are another version's.
        var unreadable = 0
        var unreadFolders = 0
        var firstError: Errno?
    }

    private func note(_ fault: FoundObject.Fault, of name: ObjectFileName, _ tally: inout Tally) {
        switch fault {
        case .damaged:
            tally.damaged += 1
            if discard(name.path) { tally.removed += 1 }
        case .otherVersion:
            tally.unreadable += 1
        case .unreadable(.noSuchFileOrDirectory):
            break
        case .unreadable(let error):
            tally.unreadable += 1
            tally.firstError = tally.firstError ?? error
        }
    }

    private func report(_ tally: Tally) {
        metrics.restored.increment(by: tally.objects)
        metrics.corrupt.increment(by: tally.damaged)
        metrics.unreadable.increment(by: tally.unreadable)
        let place = Logger.MetadataValue.string(folder.path)
        logger.info(
            "data directory read",
            metadata: [
                "data.directory": place, "objects": "\(tally.objects)", "bytes": "\(tally.bytes)",
                "left.out": "\(tally.leftOut)",
            ])
        if tally.damaged > 0 {
            logger.warning(
                "damaged files were found in the data directory",
                metadata: ["data.directory": place, "files": "\(tally.damaged)", "removed": "\(tally.removed)"])
        }
        if tally.unreadable > 0 || tally.unreadFolders > 0 {
            logger.warning(
                "files of the data directory cannot be read, and were left as they are",
                metadata: [
                    "data.directory": place, "files": "\(tally.unreadable)", "folders": "\(tally.unreadFolders)",
                    "error": "\(tally.firstError.map { "\($0)" } ?? "written by another version")",
                ])
        }
    }

    /// Removes a file; false where it cannot be removed: it is not read either, and found again at the next start.
    private func discard(_ path: String) -> Bool {
        do throws(Errno) {
            try folder.remove(path)
            return true
        } catch {
            logger.debug("file cannot be removed", metadata: ["path": "\(path)", "error": "\(error)"])
            return false
        }
    }
}
