import NIOCore
import NIOEmbedded
import OriginStore
import Testing

extension NIODeadline {
    /// A moment of the tests' own clock.
    static func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }
}

/// The key of a path that the test wrote itself.
func key(_ path: String) -> ObjectKey {
    guard let key = try? ObjectKey(requestTarget: path) else { fatalError("\(path) is no object's path") }
    return key
}

/// A store with the short limits that the tests count on, and shorthands for what uploaders and readers do.
struct StoreSetup {
    let store: ObjectStore

    init(journal: (any StoreJournal)? = nil, _ configure: (inout StoreConfiguration) -> Void = { _ in }) {
        var configuration = StoreConfiguration()
        configure(&configuration)
        store = ObjectStore(configuration: configuration, journal: journal)
    }

    func open(
        _ path: String, epoch: UInt64? = nil, cacheControl: String? = nil, entityTag: String? = nil,
        at time: NIODeadline = .at(0)
    ) throws(UploadError) -> ObjectUpload {
        let key = key(path)
        let head = ObjectHead(
            contentType: ObjectHead.contentType(fileExtension: key.fileExtension), cacheControl: cacheControl,
            entityTag: entityTag ?? "\"\(path)\"")
        return try store.open(key, head: head, epoch: epoch, now: time)
    }

    func append(_ text: String, to upload: inout ObjectUpload, at time: NIODeadline = .at(0)) throws(UploadError) {
        try store.append(ByteBuffer(string: text), to: &upload, now: time)
    }

    /// The tests' wall clock shows 1000 when their own clock shows 0.
    @discardableResult
    func finish(_ upload: ObjectUpload, at time: NIODeadline = .at(0)) throws(UploadError) -> ObjectStore.Outcome {
        try store.finish(upload, now: time, unixTime: 1_000 + Int(time.uptimeNanoseconds / 1_000_000_000))
    }

    @discardableResult
    func put(
        _ path: String, _ pieces: String..., epoch: UInt64? = nil, cacheControl: String? = nil,
        at time: NIODeadline = .at(0)
    ) throws(UploadError) -> ObjectStore.Outcome {
        var upload = try open(path, epoch: epoch, cacheControl: cacheControl, at: time)
        do throws(UploadError) {
            for piece in pieces { try append(piece, to: &upload, at: time) }
        } catch {
            store.breakOff(upload, now: time)
            throw error
        }
        return try finish(upload, at: time)
    }

    /// Stores a media playlist of segments of one second, behind which it announces others.
    func putPlaylist(
        _ path: String, _ segments: [String], announcing prefetched: [String] = [], epoch: UInt64? = nil,
        at time: NIODeadline = .at(0)
    ) throws(UploadError) {
        try put(path, playlist(segments, announcing: prefetched), epoch: epoch, at: time)
    }

    func putPlaylist(
        _ segments: [String], announcing prefetched: [String] = [], epoch: UInt64? = nil, at time: NIODeadline = .at(0)
    ) throws(UploadError) {
        try putPlaylist("/live/s/source.m3u8", segments, announcing: prefetched, epoch: epoch, at: time)
    }

    /// What a GET gets, in a word: the body of what is whole.
    func get(_ path: String) -> String {
        switch store.find(key(path)) {
        case .playlist(let playlist): String(buffer: playlist.body)
        case .complete(_, _, let body): body.wholeBytes.map { String(buffer: $0) } ?? "unreadable"
        case .growing: "growing"
        case .missing: "missing"
        }
    }

    /// - Parameter keepsText: whether it keeps what it reads, and does not only count it.
    func reader(of path: String, on loop: EmbeddedEventLoop, keepsText: Bool = true) -> Reader? {
        guard case .growing(let object) = store.find(key(path)) else { return nil }
        return Reader(object, on: loop, keepsText: keepsText)
    }
}

func playlist(_ segments: [String], announcing prefetched: [String] = []) -> String {
    "#EXTM3U\n#EXT-X-TARGETDURATION:1\n" + segments.map { "#EXTINF:1,\n\($0)\n" }.joined()
        + prefetched.map { "#EXT-X-PREFETCH:\($0)\n" }.joined()
}

/// A viewer that takes everything at once and stays until the object's end.
final class Reader: ObjectReader {
    var slot = 0
    private(set) var text = ""
    private(set) var byteCount = 0
    private(set) var condition = GrowingObject.Condition.waiting
    private(set) var pumps = 0
    private var cursor = 0
    private var group: ReaderGroup?
    private let loop: EmbeddedEventLoop
    private let keepsText: Bool

    init(_ object: GrowingObject, on loop: EmbeddedEventLoop, keepsText: Bool = true) {
        self.loop = loop
        self.keepsText = keepsText
        let group = object.readers(on: loop)
        self.group = group
        group.add(self, on: loop)
        take(group)
    }

    func pump(_ group: ReaderGroup) {
        pumps += 1
        take(group)
    }

    private func take(_ group: ReaderGroup) {
        while cursor < group.chunks.count {
            if keepsText { text += String(buffer: group.chunks[cursor].payload) }
            byteCount += group.chunks[cursor].payload.readableBytes
            cursor += 1
        }
        condition = group.condition
        if condition != .waiting { leave() }
    }

    func leave() {
        group?.remove(self, on: loop)
        group = nil
    }
}

extension ObjectStore {
    /// Takes in what a journal has at hand.
    func restore(_ objects: [StoredObject], now: NIODeadline, unixTime: Int) -> (objects: Int, playlists: Int) {
        let byKey = Dictionary(objects.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        return restore(objects.map(\.header), now: now, unixTime: unixTime) { header, _ in byKey[header.key] }
    }
}
