import Foundation
import Logging
import NIOCore
import OriginPersistence
import OriginServer
import OriginStore
import Testing

/// What was wrong with the proof of concept that this origin replaces, a test each.
@Suite(.timeLimit(.minutes(2))) struct PredecessorFaultTests {
    private static let path = "/live/s/a.ts"

    /// Its waiting readers asked again and again whether there was more.
    @Test(arguments: HTTPVersion.allCases)
    func `readers that wait take no processor time`(version: HTTPVersion) async throws {
        try await withOrigin {
            $0.store.holdLimit = .seconds(2)
            $0.sweepInterval = .seconds(1)
        } _: { origin in
            try await origin.send(.put("/live/s/a.m3u8", playlist([], announcing: ["a.ts", "b.ts"])))
            let upload = try await origin.upload("/live/s/b.ts", "one")
            let readers = try await (0..<100).asyncMap { number in
                try await origin.open(.get(number.isMultiple(of: 2) ? Self.path : "/live/s/b.ts"), over: version)
            }
            for reader in readers { _ = try await reader.head() }
            // The hold limit's cut is what ends the wait, 2 s after the last of them has come.
            let start = clock()
            #expect(try await readers[98].response().end != .whole)
            let processorSeconds = Double(clock() - start) / 1_000_000
            #expect(processorSeconds < 1, "of 2 s")
            upload.finish()
        }
    }

    /// A slow reader got 2.8 of 50 MB, and an end as if that were all.
    @Test(arguments: HTTPVersion.allCases, [true, false])
    func `a slow reader gets every byte, or no clean end`(version: HTTPVersion, isGrowing: Bool) async throws {
        try await withOrigin { origin in
            let piece = String(repeating: "0123456789abcdef", count: 62_500)
            let upload = try await origin.upload(Self.path, "start")
            var slow: Exchange?
            if isGrowing { slow = try await origin.open(.get(Self.path), over: version, isPaused: true) }
            for _ in 0..<50 { upload.send(piece) }
            upload.finish()
            #expect(try await upload.response().status == 201)
            let reader: Exchange
            if let slow {
                reader = slow
            } else {
                reader = try await origin.open(.get(Self.path), over: version, isPaused: true)
            }
            // Another reader comes and goes, whole, while the slow one takes nothing.
            let quick = try await origin.send(.get(Self.path), over: version)
            #expect(quick.bytes.readableBytes == 50_000_005)
            reader.startReading()
            let response = try await reader.response()
            #expect(response.end == .whole)
            #expect(response.bytes.readableBytes == 50_000_005)
            let isSame = response.bytes == quick.bytes
            #expect(isSame)
        }
    }

    /// What came of an upload that broke off was served as a complete 200.
    @Test(arguments: HTTPVersion.allCases, [true, false])
    func `an upload that breaks off is never served as complete`(version: HTTPVersion, isLengthTold: Bool) async throws
    {
        try await withOrigin { origin in
            var request = Request.stream(Self.path, ["half"], "Expect: 100-continue")
            if isLengthTold {
                request = .put(Self.path, "half", "Expect: 100-continue", "Content-Length: 8")
                request.isLengthTold = false
            }
            // With its length told, the body is not framed as chunks: what is written is what is sent.
            let upload: Exchange
            if isLengthTold, version == .http1 {
                let connection = try await HTTP1Connection(to: origin.address)
                upload = connection.exchange(
                    "PUT \(Self.path) HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\nExpect: 100-continue\r\n\r\nhalf")
            } else {
                upload = try await origin.open(request, over: version, isBodyOpen: true)
            }
            try await upload.interim(100)
            let reader = try await origin.open(.get(Self.path), over: version)
            try await reader.body("half")
            upload.abort()
            let response = try await reader.response()
            #expect(response.end != .whole)
            #expect(response.body == "half")
            let later = try await origin.send(.get(Self.path), over: version)
            #expect(later.status == 404)
            #expect(later["Cache-Control"] == "no-store")
        }
    }

    /// `?token=` in the URL made it another file, which was not there.
    @Test(arguments: HTTPVersion.allCases)
    func `a query does not change which object is meant`(version: HTTPVersion) async throws {
        try await withOrigin { origin async throws in
            #expect(try await origin.send(.put("\(Self.path)?token=upload", "x"), over: version).status == 201)
            for query in ["", "?", "?token=secret", "?a=b&c=%2F..%2F", "?_HLS_msn=1&_HLS_part=0", "??"] {
                #expect(try await origin.send(.get(Self.path + query), over: version).body == "x", "\(query)")
            }
        }
    }

    /// Readers that waited for more got it when the upload ended.
    @Test(arguments: HTTPVersion.allCases)
    func `readers get each piece before the next is sent`(version: HTTPVersion) async throws {
        try await withOrigin { origin in
            let upload = try await origin.upload(Self.path, "0;", over: version)
            let readers = try await (0..<5).asyncMap { _ in try await origin.open(.get(Self.path), over: version) }
            var text = "0;"
            for number in 1..<50 {
                for reader in readers { try await reader.body(text) }
                upload.send("\(number);")
                text += "\(number);"
            }
            for reader in readers { try await reader.body(text) }
            for reader in readers { #expect(reader.inbox.value.end == nil) }
            upload.finish()
            for reader in readers { #expect(try await reader.response().end == .whole) }
        }
    }

    /// A disk that failed ended the server.
    @Test(arguments: HTTPVersion.allCases)
    func `a data directory that goes away costs nothing but itself`(version: HTTPVersion) async throws {
        try await withTemporaryFolder { folder in
            let path = "\(folder)/data"
            let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
            let directory = try DataDirectory(DataDirectoryConfiguration(path: path), logger: logger)
            try await withOrigin(on: directory) { origin in
                try await origin.send(.put("/live/s/0.ts", "zero"), over: version)
                await directory.flush()
                try FileManager.default.removeItem(atPath: path)
                try Data("a file, no folder".utf8).write(to: URL(filePath: path))
                let upload = try await origin.upload(Self.path, "one", over: version)
                for number in 1..<20 {
                    #expect(
                        try await origin.send(.put("/live/s/\(number).ts", "\(number)"), over: version).status == 201)
                }
                upload.send("two")
                upload.finish()
                #expect(try await upload.response().status == 201)
                await directory.flush()
                #expect(try await origin.send(.get(Self.path), over: version).body == "onetwo")
                for number in 1..<20 {
                    #expect(try await origin.send(.get("/live/s/\(number).ts"), over: version).body == "\(number)")
                }
            }
        }
    }

    /// It told caches nothing, so that they kept nothing, and asked for all of it again.
    @Test(arguments: HTTPVersion.allCases)
    func `a complete object has a length, a tag, ranges and a policy`(version: HTTPVersion) async throws {
        try await withOrigin { origin in
            try await origin.send(.put(Self.path, "0123456789"), over: version)
            let whole = try await origin.send(.get(Self.path), over: version)
            #expect(whole["Content-Length"] == "10")
            #expect(whole["Cache-Control"]?.contains("max-age=") == true)
            let tag = try #require(whole["ETag"])
            let again = try await origin.send(.get(Self.path, "If-None-Match: \(tag)"), over: version)
            #expect(again.status == 304)
            let part = try await origin.send(.get(Self.path, "Range: bytes=2-3"), over: version)
            #expect(part.status == 206)
            #expect(part["Content-Range"] == "bytes 2-3/10")
            #expect(part.body == "23")
        }
    }

    /// Anyone could upload and remove.
    @Test(arguments: HTTPVersion.allCases)
    func `nobody uploads or removes without leave, where leave is asked`(version: HTTPVersion) async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/tokens"
            try Data("a-token-of-20-letters".utf8).write(to: URL(filePath: file))
            try await withOrigin {
                $0.files.publishTokens = file
            } _: { origin in
                let leave = "Authorization: Bearer a-token-of-20-letters"
                #expect(try await origin.send(.put(Self.path, "x", leave), over: version).status == 201)
                for request in [Request.put(Self.path, "y"), .post(Self.path, "y"), .delete(Self.path)] {
                    let response = try await origin.send(request, over: version)
                    #expect(response.status == 401)
                    #expect(response["WWW-Authenticate"]?.hasPrefix("Bearer") == true)
                    #expect(!response.body.contains("a-token"))
                }
                #expect(try await origin.send(.get(Self.path), over: version).body == "x")
                #expect(try await origin.send(.delete(Self.path, leave), over: version).status == 200)
            }
        }
    }
}
