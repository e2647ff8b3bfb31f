/// What `connect` asks for (`RTMP 1.0 §7.2.1.1`).
package struct ConnectRequest: Hashable, Sendable {
    /// As sent, without a query; nobody has checked it yet.
    package var app: String
    /// Of the app or, if that has none, of `tcUrl`.
    package var query: RTMPQuery

    package init(app: String, query: RTMPQuery = RTMPQuery()) {
        self.app = app
        self.query = query
    }

    /// Nil if the command holds no object.
    init?(_ command: RTMPCommand) {
        guard let object = command.object.object else { return nil }
        let (app, query) = RTMPQuery.split(object["app"]?.string ?? "")
        let url = RTMPQuery.split(object["tcUrl"]?.string ?? "")
        self.init(app: app, query: query.rawValue.isEmpty ? url.query : query)
    }
}

/// What `publish` asks for (`RTMP 1.0 §7.2.2.6`).
package struct PublishRequest: Hashable, Sendable {
    package var app: String
    /// As sent, without a query; nobody has checked it yet.
    package var streamName: String
    /// Of the stream name.
    package var query: RTMPQuery
    /// Of the app or `tcUrl`.
    package var connectQuery: RTMPQuery

    package init(
        app: String, streamName: String, query: RTMPQuery = RTMPQuery(), connectQuery: RTMPQuery = RTMPQuery()
    ) {
        self.app = app
        self.streamName = streamName
        self.query = query
        self.connectQuery = connectQuery
    }

    /// A parameter such as a token, which an encoder lets its user write behind the key or behind the server's URL.
    package func parameter(_ name: String) -> String? {
        query[name] ?? connectQuery[name]
    }
}
