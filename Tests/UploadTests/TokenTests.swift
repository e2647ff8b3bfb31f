import Glibc
import NIOHTTP1
import Synchronization
import Testing

import Upload

@Suite(.timeLimit(.minutes(1)))
struct TokenTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func destination(_ url: String, _ file: String) throws -> Destination {
        try .origin(url) { $0.tokenFile = file }
    }

    @Test(arguments: [
        "a", "0123456789abcdef\n", "aA0-._~+/==\r\nsecond line", "  padded\t \n", "\u{9}t\r",
        String(repeating: "x", count: 4_096),
    ])
    func `a token is read from the first line`(text: String) async throws {
        let expected = text.prefix { $0 != "\n" && $0 != "\r\n" }.filter { !$0.isWhitespace }
        let origin = try await Origin(answer: accept)
        let setup = try UploadSetup([destination(origin.url, folder.write("token", text))])
        setup.put("/a", "x")
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 1)
        #expect(origin.journal.events.heads("/a").first?.headers["authorization"] == ["Bearer \(expected)"])
        await setup.end()
    }

    @Test(arguments: [
        "", "\n", "\ntoken", "two words", "token /live", "a\u{0}b", "a\rb", "=", "ü", "# comment", "to\u{7F}ken", "a=b",
        String(repeating: "x", count: 4_097),
    ])
    func `what is no token is refused, and not shown`(text: String) throws {
        let file = try folder.write("token", text)
        let error = #expect(throws: UploadError.malformedToken) { try OriginAccess.verify(tokenFile: file) }
        #expect(error.map { "\($0)" }?.contains("word") == false)
        #expect(throws: UploadError.malformedToken) { try UploadSetup([destination("http://127.0.0.1", file)]) }
    }

    @Test func `a file that cannot be read says why`() throws {
        func failure(_ path: String) -> String? {
            let error = #expect(throws: UploadError.self) { try OriginAccess.verify(tokenFile: path) }
            return error.map { "\($0)" }
        }
        #expect(failure("\(folder.path)/none") == "it cannot be read: No such file or directory")
        #expect(failure(folder.path) == "it is not a regular file")
        #expect(failure("/dev/zero") == "it is not a regular file")
        #expect(failure(try folder.write("large", String(repeating: "\n", count: 100_000))) != nil)
        // A pipe that nobody writes to is not waited for.
        let status = unsafe mkfifo("\(folder.path)/pipe", 0o600)
        #expect(status == 0)
        #expect(failure("\(folder.path)/pipe") == "it is not a regular file")
    }

    @Test func `each request to an origin carries it, and none to another destination`() async throws {
        let origin = try await Origin(answer: accept)
        let other = try await Origin(answer: accept)
        let file = try folder.write("token", "t0ken")
        let setup = try UploadSetup([destination(origin.url, file), Destination(parsing: other.url)])
        setup.put("/a", "x")
        let body = setup.open("/b")
        body.finish()
        for destination in 0...1 { try await setup.metrics.wait(for: "transfers/\(destination)/delivered", total: 2) }
        for path in ["/a", "/b"] {
            #expect(origin.journal.events.heads(path).map { $0.headers["authorization"] } == [["Bearer t0ken"]])
            #expect(other.journal.events.heads(path).map { $0.headers["authorization"] } == [[]])
        }
        #expect(setup.log.events.isEmpty)
        await setup.end()
    }

    @Test func `a user in the URL goes before it`() async throws {
        let origin = try await Origin(answer: accept)
        let url = origin.url.replacing("//", with: "//user:word@")
        let setup = try UploadSetup([destination(url, folder.write("token", "t0ken"))])
        setup.put("/a", "x")
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 1)
        #expect(origin.journal.events.heads("/a").first?.headers["authorization"] == ["Basic dXNlcjp3b3Jk"])
        await setup.end()
    }

    @Test func `it does not follow a redirect`() async throws {
        let elsewhere = try await Origin(answer: accept)
        let url = elsewhere.url
        let origin = try await Origin { number, _ in number < 3 ? .redirect(to: "\(url)/a") : .atEnd(.ok) }
        let setup = try UploadSetup([destination(origin.url, folder.write("token", "t0ken"))])
        setup.put("/a", "x")
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 1)
        #expect(origin.journal.events.heads("/a").count == 3)
        #expect(elsewhere.journal.events.connections == 0)
        await setup.end()
    }

    @Test func `it is read again when told to, and stays where that fails`() async throws {
        let origin = try await Origin(answer: accept)
        let file = try folder.write("token", "first")
        let setup = try UploadSetup([destination(origin.url, file)])
        func sent(_ path: String, total: Int64) async throws -> [String]? {
            setup.put(path, "x")
            try await setup.metrics.wait(for: "transfers/0/delivered", total: total)
            return origin.journal.events.heads(path).first?.headers["authorization"]
        }
        #expect(try await sent("/1", total: 1) == ["Bearer first"])
        try folder.write("token", "second")
        #expect(try await sent("/2", total: 2) == ["Bearer first"])
        setup.uploader.reloadTokens()
        #expect(try await sent("/3", total: 3) == ["Bearer second"])
        try folder.write("token", "not a token")
        setup.uploader.reloadTokens()
        #expect(try await sent("/4", total: 4) == ["Bearer second"])
        let status = unsafe remove(file)
        #expect(status == 0)
        setup.uploader.reloadTokens()
        #expect(try await sent("/5", total: 5) == ["Bearer second"])
        #expect(
            setup.log.events == [
                "info origin token read again file=\(file)",
                "error origin token not read again: the former one stays in use file=\(file) "
                    + "reason=\(UploadError.malformedToken)",
                "error origin token not read again: the former one stays in use file=\(file) "
                    + "reason=\(UploadError.unreadableFile(errno: ENOENT))",
            ])
        await setup.end()
    }

    @Test(arguments: [(0o600, 0), (0o640, 0), (0o644, 1), (0o604, 1)])
    func `a file that everybody may read is warned of`(mode: Int, warnings: Int) async throws {
        let file = try folder.write("token", "t0ken", mode: mode)
        let setup = try UploadSetup([
            destination("http://127.0.0.1:1", file), destination("http://127.0.0.1:2", file),
        ])
        #expect(setup.log.events.filter { $0.hasPrefix("warning every user of this host may read") }.count == warnings)
        await setup.end()
    }

    @Test(arguments: [HTTPResponseStatus.unauthorized, .forbidden])
    func `a denial is told once with what to do, and again after the token was read again`(
        status: HTTPResponseStatus
    ) async throws {
        let isKnown = Mutex(false)
        let origin = try await Origin { _, _ in isKnown.withLock { $0 } ? .atEnd(.created) : .atEnd(status) }
        let setup = try UploadSetup([destination(origin.url, folder.write("token", "s3cret"))])
        for number in 1...10 { setup.put("/live/s/\(number)", "x") }
        try await setup.metrics.wait(for: "retries/0", total: 14)
        let lines = setup.log.events
        #expect(lines.count == 1)
        #expect(lines.first?.hasPrefix("error upload destination refuses this sender upload.advice=") == true)
        #expect(lines.first?.contains("origin-token-file and send SIGHUP") == true)
        #expect(lines.first?.contains("upload.reason=HTTP \(status.code)") == true)

        setup.uploader.reloadTokens()
        let before = setup.metrics.total("retries/0")
        try await setup.metrics.wait(for: "retries/0", total: before + 8)
        #expect(setup.log.events.filter { $0.contains("refuses this sender") }.count == 2)

        isKnown.withLock { $0 = true }
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 10)
        #expect(setup.log.events.contains { $0.hasPrefix("info upload destination has recovered") })
        #expect(!setup.log.events.contains { $0.contains("s3cret") })
        await setup.end()
    }

    @Test func `a denial without a token says how to give one`() async throws {
        let origin = try await Origin { number, _ in number == 1 ? .atHead(.unauthorized) : .atEnd(.ok) }
        let setup = try UploadSetup(origin.url)
        let body = setup.open("/live/s/1.ts")
        body.finish()
        try await setup.metrics.wait(for: "transfers/0/delivered", total: 1)
        let advice = "give this ingest a token that the origin knows by origin-token-file"
        #expect(setup.log.events.first?.contains("upload.advice=\(advice) ") == true)
        await setup.end()
    }
}
