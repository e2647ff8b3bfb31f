import LibAV

/// An input besides RTMP and the stream it publishes, written `URL=STREAM`.
package struct InputSource: Sendable, Hashable {
    /// As libavformat takes it. It may hold keys, and stands in no log.
    package var url: String
    /// `APP/STREAM`.
    package var stream: String

    /// What is said to somebody who wrote it otherwise.
    package static let form =
        "URL=STREAM, such as srt://0.0.0.0:9000?mode=listener=live/camera, film.mp4=film or pipe:0=live/stream"

    /// Nil where the URL or the stream is missing, or the stream's name is not allowed.
    ///
    /// The last `=` divides, since URLs have some in their queries; a stream without application belongs to `live`.
    package init?(parsing text: String) {
        guard let divider = text.lastIndex(of: "="), divider > text.startIndex else { return nil }
        let stream = text[text.index(after: divider)...]
        guard let name = StreamName(publishedAs: String(stream)) else { return nil }
        url = String(text[..<divider])
        self.stream = String(name.path.dropFirst())
    }

    var address: InputAddress { InputAddress(url) }
}

extension StreamName {
    /// `STREAM`, which belongs to the application `live`, or `APP/STREAM`.
    package init?(publishedAs text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2 {
            self.init(app: String(parts[0]), stream: String(parts[1]))
        } else {
            self.init(app: "live", stream: text)
        }
    }
}
