import OriginStore
import Testing

@Suite struct ObjectKeyTests {
    @Test(arguments: [
        ("/live/s/a.ts", "/live/s/a.ts"),
        ("/a", "/a"),
        ("/live/s/a.ts?token=%zz/../x", "/live/s/a.ts"),
        ("/live/s/a.ts#x", "/live/s/a.ts"),
        ("//live///s//a.ts", "/live/s/a.ts"),
        ("/live/s/", "/live/s"),
        ("/%61%2Ets", "/a.ts"),
        ("/a%20b", "/a b"),
        ("/a+b", "/a+b"),
        ("/%C3%A9", "/é"),
        ("/...", "/..."),
        ("/.hidden", "/.hidden"),
        ("http://host:9094/live/a.ts", "/live/a.ts"),
        ("https://host/live/a.ts?x", "/live/a.ts"),
        ("http://host/http://other/a", "/http:/other/a"),
    ])
    func `a request target names an object`(target: String, path: String) throws {
        #expect(try ObjectKey(requestTarget: target).path == path)
    }

    @Test(arguments: [
        ("", ObjectKeyError.notAbsolute),
        ("*", .notAbsolute),
        ("a.ts", .notAbsolute),
        ("host:443", .notAbsolute),
        ("http://host", .notAbsolute),
        ("/", .notAnObject),
        ("///?a", .notAnObject),
        ("/live/../a", .dotComponent),
        ("/..", .dotComponent),
        ("/live/./a", .dotComponent),
        ("/live/%2e%2e/a", .dotComponent),
        ("/live/.%2E/a", .dotComponent),
        ("/live/%2E/a", .dotComponent),
        ("/live%2fa", .badEncoding),
        ("/live/..%2F..%2fetc", .badEncoding),
        ("/%", .badEncoding),
        ("/%1", .badEncoding),
        ("/%g0", .badEncoding),
        ("/%ff", .badEncoding),
        ("/%C3", .badEncoding),
        ("/%C0%AE%C0%AE/a", .badEncoding),
        ("/a%00b", .badCharacter),
        ("/a\u{0}b", .badCharacter),
        ("/a%0d%0ab", .badCharacter),
        ("/a%7f", .badCharacter),
        ("/..\\a", .badCharacter),
        ("/a%5c..", .badCharacter),
        ("/" + String(repeating: "a", count: 1_024), .tooLong),
        (String(repeating: "/", count: 1_025), .tooLong),
        (String(repeating: "/a", count: 33), .tooLong),
    ])
    func `a request target that names no object is refused`(target: String, error: ObjectKeyError) {
        #expect(throws: error) { try ObjectKey(requestTarget: target) }
    }

    @Test func `the longest path is taken`() throws {
        let path = "/" + String(repeating: "a", count: 1_023)
        #expect(try ObjectKey(requestTarget: path + "?" + path).path == path)
        #expect(try ObjectKey(requestTarget: String(repeating: "/a", count: 32)).path.utf8.count == 64)
    }

    @Test(arguments: [
        ("/live/s/a.ts", "/live/s", "ts"), ("/a.M3U8", "", "m3u8"), ("/live.d/a", "/live.d", ""), ("/a.", "", ""),
        ("/x/.ts", "/x", "ts"), ("/x/\u{308}a.b.mpd", "/x", "mpd"),
    ])
    func `a key knows its folder and extension`(path: String, folder: String, fileExtension: String) throws {
        let key = try ObjectKey(requestTarget: path)
        #expect(key.folder.path == folder)
        #expect(key.fileExtension == fileExtension)
        #expect(key.isPlaylist == ["m3u8", "mpd"].contains(fileExtension))
    }

    @Test(arguments: [
        ("/live/show/a/b.ts", "/live/show"), ("/live/show/b.ts", "/live/show"), ("/live/show/a/b/c/d.ts", "/live/show"),
        ("/live/b.ts", "/live"), ("/b.ts", ""),
    ])
    func `a key knows its stream`(path: String, stream: String) {
        #expect(key(path).stream.path == stream)
    }

    @Test(arguments: [
        ("a.ts", "/live/s/a.ts"), ("b/a.ts", "/live/s/b/a.ts"), ("./a.ts", "/live/s/a.ts"), ("../a.ts", "/live/a.ts"),
        ("../../a.ts", "/a.ts"), ("b/../a.ts", "/live/s/a.ts"), ("/a.ts", "/a.ts"),
        ("a.ts?u=http://h/x", "/live/s/a.ts"),
        ("a%20b.ts", "/live/s/a b.ts"), ("b/%2e%2E/a.ts", "/live/s/a.ts"), ("./x:y.ts", "/live/s/x:y.ts"),
    ])
    func `a playlist's reference means an object`(reference: String, path: String) throws {
        #expect(try ObjectKey(requestTarget: "/live/s/source.m3u8").resolving(reference)?.path == path)
    }

    @Test(arguments: [
        "", "?a", "#a", "http://host/a.ts", "//host/a.ts", "data:video/mp2t;base64,AAAA", "../../../a.ts", "/../a.ts",
        "b/",
        "a%2fb.ts", "a%00.ts", ".", "..", "/", String(repeating: "a", count: 1_020),
        String(repeating: "a/", count: 31) + "a",
    ])
    func `a reference that leads elsewhere means none`(reference: String) throws {
        #expect(try ObjectKey(requestTarget: "/live/s/source.m3u8").resolving(reference) == nil)
    }
}
