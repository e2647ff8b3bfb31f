import NIOCore
package import OriginStore

/// The body of a response with several ranges of an object (`RFC 9110 §14.6`).
package struct MultipartRanges {
    /// The whole response's media type, which names the boundary.
    package let contentType: String
    /// What to send, one after the other: the ranges' heads, and between them runs of the object's own bytes.
    package let parts: [BodyPart]

    /// - Parameters:
    ///   - ranges: offsets within the body; what lies outside of it is left out.
    ///   - contentType: the object's media type.
    package init(
        _ ranges: [Range<Int>], of body: ObjectBody, contentType: String, boundary: String = Self.randomBoundary()
    ) {
        let length = body.count
        var parts: [BodyPart] = []
        var delimiter = "--\(boundary)"
        for range in ranges {
            let offsets = range.clamped(to: 0..<length)
            guard !offsets.isEmpty else { continue }
            let head = """
                \(delimiter)\r
                Content-Type: \(contentType)\r
                Content-Range: bytes \(offsets.lowerBound)-\(offsets.upperBound - 1)/\(length)\r
                \r

                """
            parts.append(BodyPart(ByteBuffer(string: head)))
            parts.append(BodyPart(body, offsets))
            delimiter = "\r\n--\(boundary)"
        }
        parts.append(BodyPart(ByteBuffer(string: "\(delimiter)--\r\n")))
        self.parts = parts
        self.contentType = "multipart/byteranges; boundary=\(boundary)"
    }

    /// 26 letters and digits that no object has foreseen.
    package static func randomBoundary() -> String {
        let text =
            String(UInt64.random(in: .min ... .max), radix: 36) + String(UInt64.random(in: .min ... .max), radix: 36)
        return String(repeating: "0", count: 26 - text.utf8.count) + text
    }
}
