/// Somebody who is told what the store holds complete, so that it can be kept elsewhere.
package protocol StoreJournal: Sendable {
    /// A complete object or playlist took its place, or that of its previous version. Called in order under the
    /// store's lock: must return at once, never block and never call the store.
    func stored(_ object: StoredObject)
    /// Nothing complete has this key any more. Same rules.
    func removed(_ key: ObjectKey)
}

/// A complete object or playlist with all that is known of it.
package struct StoredObject: Sendable, Equatable {
    package var key: ObjectKey
    package var head: ObjectHead
    /// Lives for as long as anybody holds it, also when the store has let go of it.
    package var body: ObjectBody
    /// The publish session that wrote it, where the uploader said.
    package var epoch: UInt64?

    package init(key: ObjectKey, head: ObjectHead, body: ObjectBody, epoch: UInt64? = nil) {
        self.key = key
        self.head = head
        self.body = body
        self.epoch = epoch
    }

    /// What is known of it before its body has been read.
    package struct Header: Sendable, Equatable {
        package var key: ObjectKey
        package var head: ObjectHead
        package var epoch: UInt64?
        package var bodyBytes: Int

        package init(key: ObjectKey, head: ObjectHead, epoch: UInt64? = nil, bodyBytes: Int) {
            self.key = key
            self.head = head
            self.epoch = epoch
            self.bodyBytes = bodyBytes
        }
    }

    package var header: Header { Header(key: key, head: head, epoch: epoch, bodyBytes: body.count) }
}
