/// What is known of an object besides its bytes.
package struct ObjectHead: Sendable, Equatable {
    package var contentType: String
    /// The Cache-Control value the uploader sent; served where the policy says `upstream`.
    package var cacheControl: String?
    /// Strong entity tag with its quotes (`RFC 9110 §8.8.3`); the same for every byte of one upload's life.
    package var entityTag: String
    /// Unix time in seconds at which it became complete; nil while it grows.
    package var lastModified: Int?

    package init(contentType: String, cacheControl: String? = nil, entityTag: String, lastModified: Int? = nil) {
        self.contentType = contentType
        self.cacheControl = cacheControl
        self.entityTag = entityTag
        self.lastModified = lastModified
    }

    /// The media type of a name's extension (`DASH-IF Ingest §2`), used where the uploader names none or a generic one.
    package static func contentType(fileExtension: String) -> String {
        switch fileExtension {
        case "m3u8": "application/vnd.apple.mpegurl"
        case "mpd": "application/dash+xml"
        case "ts": "video/mp2t"
        case "mp4", "m4s", "m4v", "cmfv", "init": "video/mp4"
        case "m4a", "cmfa": "audio/mp4"
        case "aac": "audio/aac"
        case "vtt": "text/vtt"
        case "jpg", "jpeg": "image/jpeg"
        case "json": "application/json"
        case "html": "text/html; charset=utf-8"
        default: "application/octet-stream"
        }
    }
}
