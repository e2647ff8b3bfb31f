import Testing

import Upload

struct DestinationTests {
    @Test(arguments: [
        ("http://127.0.0.1:9094", "http://127.0.0.1:9094"),
        ("http://origin.example/", "http://origin.example"),
        ("https://origin.example:8443/a/b/", "https://origin.example:8443/a/b"),
        ("HTTP://[::1]:80/x", "http://[::1]:80/x"),
        ("http://user:secret@origin.example/x", "http://origin.example/x"),
        ("file:out", "file:out"),
        ("file:///var/www/", "file:/var/www"),
        ("file:/", "file:/"),
    ])
    func `a destination is read and told without secrets`(text: String, description: String) throws {
        let destination = try Destination(parsing: text)
        #expect(destination.description == description)
        #expect(!String(reflecting: destination).contains("secret"))
        var dumped = ""
        dump(destination, to: &dumped)
        #expect(!dumped.contains("secret"))
    }

    @Test(arguments: [
        ("", UploadError.unknownScheme("")),
        ("origin.example", .unknownScheme("")),
        ("ftp://origin.example", .unknownScheme("ftp")),
        ("http:", .missingHost),
        ("http://", .missingHost),
        ("http://origin.example:99999", .malformedURL),
        ("http://origin.example/?token=x", .malformedURL),
        ("http://origin.example/#x", .malformedURL),
        ("file:", .missingDirectory),
        ("file://host/x", .malformedURL),
    ])
    func `what is no destination is refused`(text: String, error: UploadError) {
        #expect(throws: error) { try Destination(parsing: text) }
    }

    @Test(arguments: ["", "/", "a//b", "/a/", "a/./b", "../a", "a/..", "a\u{0}b", "a\nb", "a\\b"])
    func `a path that could lead elsewhere is refused`(text: String) {
        #expect(ObjectPath(text) == nil)
    }

    @Test func `a path is percent-encoded`() {
        #expect(ObjectPath("/live/ä?/..a")?.percentEncoded == "/live/%C3%A4%3F/..a")
        #expect(ObjectPath("live/%2e%2e/a~b-c_d.ts")?.percentEncoded == "/live/%252e%252e/a~b-c_d.ts")
    }
}
