package import NIOCore

/// Something that follows a growing object on one event loop: a viewer's connection.
package protocol ObjectReader: AnyObject {
    /// The reader's place in its group; the group's alone to write.
    var slot: Int { get set }
    /// New chunks or a new condition: write what the connection takes. Called on the group's event loop.
    func pump(_ group: ReaderGroup)
}

/// The readers of one object on one event loop, with the loop's own list of the object's chunks.
///
/// A reader is a cursor into ``chunks``; feeding it touches neither a lock nor another loop's memory.
package final class ReaderGroup {
    package private(set) var chunks: [ObjectChunk] = []
    /// Payload bytes in them.
    package private(set) var byteCount = 0
    package private(set) var condition = GrowingObject.Condition.waiting
    /// When the object's first byte came, and when its upload ended; nil before that.
    package private(set) var startedAt: NIODeadline?
    package private(set) var completedAt: NIODeadline?
    private let object: GrowingObject
    private var readers: [any ObjectReader] = []

    init(object: GrowingObject) {
        self.object = object
    }

    package func add(_ reader: any ObjectReader, on eventLoop: any EventLoop) {
        reader.slot = readers.count
        readers.append(reader)
        catchUp(on: eventLoop)
    }

    package func remove(_ reader: any ObjectReader, on eventLoop: any EventLoop) {
        let slot = reader.slot
        guard slot < readers.count, readers[slot] === reader else { return }
        let last = readers.removeLast()
        if slot < readers.count {
            readers[slot] = last
            last.slot = slot
        }
        if readers.isEmpty { object.forget(eventLoop) }
    }

    /// The object has news: fetches it once and feeds every reader.
    func pump(on eventLoop: any EventLoop) {
        // The last one may have gone since, and the object's chunks with it.
        guard !readers.isEmpty else { return }
        catchUp(on: eventLoop)
        // Backwards, because a reader that ends here is replaced by the last one, which has been fed by then.
        var slot = readers.count - 1
        while slot >= 0 {
            if slot < readers.count { readers[slot].pump(self) }
            slot -= 1
        }
    }

    private func catchUp(on eventLoop: any EventLoop) {
        let known = chunks.count
        let news = object.catchUp(&chunks, on: eventLoop)
        for chunk in chunks[known...] { byteCount += chunk.payload.readableBytes }
        condition = news.condition
        startedAt = news.startedAt
        completedAt = news.completedAt
    }
}
