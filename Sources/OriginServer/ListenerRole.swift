/// What is served on a listener.
struct ListenerRole: Sendable {
    let mayRead: Bool
    let mayPublish: Bool
    let isEncrypted: Bool

    /// The value of `Allow` (`RFC 9110 §10.2.1`).
    var allowedMethods: String {
        (mayRead ? "GET, HEAD, " : "") + "OPTIONS" + (mayPublish ? ", PUT, POST, DELETE" : "")
    }
}
