import NIOCore
import Testing

/// What holds for every response of the origin, whatever was asked.
enum Invariants {
    private static let single = [
        "accept-ranges", "access-control-allow-origin", "access-control-max-age", "allow", "cache-control",
        "content-encoding", "content-length", "content-range", "content-type", "date", "etag", "headwater-held",
        "last-modified", "retry-after", "server", "timing-allow-origin", "transfer-encoding", "vary",
    ]

    /// Fields of one connection, which HTTP/2 does not know (`RFC 9113 §8.2.2`).
    private static let hopByHop = ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"]

    private static let date =
        #"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT"#

    static func check(_ response: Response, to request: Request, over version: HTTPVersion) {
        #expect(response.violation == nil)
        for name in single {
            #expect(response.values(name).count <= 1, "\(name) is there \(response.values(name).count) times")
        }
        #expect(matches(response["Date"], date))
        if let modified = response["Last-Modified"] { #expect(matches(modified, date)) }
        if let tag = response["ETag"] { #expect(matches(tag, #""[\x21\x23-\x7e]+""#), "a strong entity tag") }
        #expect(response["Server"]?.isEmpty == false)
        #expect(response["Timing-Allow-Origin"] == "*")
        #expect(response["Age"] == nil, "an origin has no Age")
        #expect(response["Set-Cookie"] == nil)
        checkFraming(response, to: request, over: version)
        checkStatus(response)
    }

    private static func checkFraming(_ response: Response, to request: Request, over version: HTTPVersion) {
        if version == .http2 {
            for name in hopByHop { #expect(response[name] == nil, "\(name) over HTTP/2") }
        }
        let hasNoBody = request.method == "HEAD" || response.status == 204 || response.status == 304
        if hasNoBody { #expect(response.body == "") }
        if response.status == 204 {
            #expect(response["Content-Length"] == nil && response["Transfer-Encoding"] == nil)
        } else if !hasNoBody, response.end == .whole {
            if let length = response["Content-Length"] { #expect(length == "\(response.bytes.readableBytes)") }
            if version == .http1 {
                #expect((response["Content-Length"] == nil) == (response["Transfer-Encoding"] == "chunked"))
            }
        }
        if !hasNoBody, response.bytes.readableBytes > 0 { #expect(response["Content-Type"] != nil) }
    }

    private static func checkStatus(_ response: Response) {
        switch response.status {
        case 206:
            let isMultipart = response["Content-Type"]?.hasPrefix("multipart/byteranges; boundary=") == true
            #expect((response["Content-Range"] != nil) != isMultipart)
        case 401: #expect(response["WWW-Authenticate"]?.hasPrefix("Bearer") == true)
        case 405: #expect(response["Allow"]?.contains("GET") == true || response["Allow"]?.contains("PUT") == true)
        case 416: #expect(matches(response["Content-Range"], #"bytes \*/\d+"#))
        case 429, 503: #expect(matches(response["Retry-After"], #"\d+"#))
        default: break
        }
        // Nothing that went wrong is kept by a cache, and no error claims to be a version of the object.
        if response.status >= 400 {
            #expect(response["Cache-Control"] == "no-store")
            #expect(response["ETag"] == nil || response.status == 412 || response.status == 416)
        }
    }

    private static func matches(_ value: String?, _ pattern: String) -> Bool {
        guard let value, let regex = try? Regex(pattern) else { return false }
        return (try? regex.wholeMatch(in: value)) != nil
    }
}
