import HTTPSemantics
import NIOCore
import OriginStore
import Testing

@Suite struct MultipartRangesTests {
    private static let body = ObjectBody.bytes(ByteBuffer(string: "0123456789abcdefghij"))

    private static func text(_ multipart: MultipartRanges) -> String {
        multipart.parts.map { String(buffer: $0.prefix($0.count) ?? ByteBuffer()) }.joined()
    }

    @Test func `each range is a part with its own head`() {
        let multipart = MultipartRanges([15..<20, 0..<2], of: Self.body, contentType: "video/mp2t", boundary: "B")
        let expected = """
            --B\r
            Content-Type: video/mp2t\r
            Content-Range: bytes 15-19/20\r
            \r
            fghij\r
            --B\r
            Content-Type: video/mp2t\r
            Content-Range: bytes 0-1/20\r
            \r
            01\r
            --B--\r

            """
        #expect(Self.text(multipart) == expected)
        #expect(multipart.contentType == "multipart/byteranges; boundary=B")
    }

    @Test func `offsets are the body's own, wherever it stands in its buffer, and what lies outside is left out`() {
        var body = ByteBuffer(string: "xxx0123456789yyy")
        body.moveReaderIndex(forwardBy: 3)
        body.moveWriterIndex(to: body.writerIndex - 3)
        let multipart = MultipartRanges([8..<90, 10..<12, 3..<3], of: .bytes(body), contentType: "a/b", boundary: "B")
        #expect(multipart.parts.count == 3)
        #expect(Self.text(multipart).contains("bytes 8-9/10\r\n\r\n89\r\n--B--"))
    }

    @Test func `no two boundaries are the same, and each may stand in a head unquoted`() {
        let boundaries = (0..<1_000).map { _ in MultipartRanges.randomBoundary() }
        #expect(Set(boundaries).count == 1_000)
        #expect(
            boundaries.allSatisfy {
                $0.utf8.count == 26 && $0.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
            })
    }
}
