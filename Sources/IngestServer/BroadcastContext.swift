import Logging
import NIOCore
import Upload

/// What all renditions of a broadcast share.
struct BroadcastContext {
    let name: StreamName
    let identity: BroadcastIdentity
    /// Media and discontinuity sequence numbers begin with it.
    let firstNumber: Int
    let ingest: IngestContext
    let logger: Logger
    /// Of the present publisher; uploads of earlier ones that are still repeated go on under it.
    let epoch = PublishEpoch(0)

    init(_ name: StreamName, ingest: IngestContext) {
        self.name = name
        self.ingest = ingest
        identity = BroadcastIdentity(unixMilliseconds: IngestContext.unixMilliseconds)
        firstNumber = ingest.firstNumber(atLeast: identity.firstNumber)
        var logger = ingest.logger
        logger[metadataKey: "stream"] = "\(name.path)"
        self.logger = logger
    }

    func open(_ file: String, contentType: String) -> GrowingBody {
        ingest.uploader.open(path: "\(name.path)/\(file)", contentType: contentType, epoch: epoch)
    }

    func putPlaylist(_ file: String, _ text: String) {
        ingest.uploader.put(
            path: "\(name.path)/\(file)", contentType: "application/vnd.apple.mpegurl", epoch: epoch,
            body: ByteBuffer(string: text))
    }

    func remove(_ file: String) {
        ingest.uploader.remove(path: "\(name.path)/\(file)")
    }
}
