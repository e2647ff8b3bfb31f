import NIOCore
import OriginServer
import OriginStore
import Testing

@Suite struct ConnectionTests {
    static let get = "GET /a.ts HTTP/1.1\r\nHost: a\r\n\r\n"

    @Test(arguments: [false, true])
    func `a thousand requests sent at once are answered in their order`(isSlow: Bool) async throws {
        try await withOrigin { origin in
            for number in 0..<10 {
                _ = try await origin.request("PUT", "/\(number).ts", body: String(repeating: "\(number)", count: 9_000))
            }
            let client = try await origin.client(receiving: isSlow ? 65_536 : nil)
            client.send(
                (0..<1_000).map { number in
                    switch number % 20 {
                    case 10: "GET /none HTTP/1.1\r\nHost: a\r\n\r\n"
                    case 11: "HEAD /1.ts HTTP/1.1\r\nHost: a\r\n\r\n"
                    case 12: "OPTIONS /1.ts HTTP/1.1\r\nHost: a\r\n\r\n"
                    default: "GET /\(number % 10).ts HTTP/1.1\r\nHost: a\r\n\r\n"
                    }
                }.joined())
            if isSlow {
                // Others' exchanges go by while this one does not read.
                for _ in 0..<20 { #expect(try await origin.request("HEAD", "/1.ts").status == 200) }
                try await client.startReading()
            }
            for number in 0..<1_000 {
                let response = Response(try await client.receive("\r\n\r\n"))
                switch number % 20 {
                case 10:
                    #expect(response.status == 404)
                    try await client.receive("no such object\n")
                case 11: #expect(response["Content-Length"] == "9000")
                case 12: #expect(response.status == 204)
                default:
                    let body = try await client.receive(count: 9_000)
                    try #require(body == String(repeating: "\(number % 10)", count: 9_000), "\(number)")
                }
            }
        }
    }

    @Test func `requests behind one for a growing object wait their turn`() async throws {
        try await withOrigin { origin in
            _ = try await origin.request("PUT", "/a.ts", body: "whole")
            let uploader = try await origin.upload("/b.ts", "one")
            let client = try await origin.client()
            let growing = "GET /b.ts HTTP/1.1\r\nHost: a\r\n\r\n"
            client.send(growing + Self.get + growing + Self.get)
            try await client.receive(chunk("one"))
            uploader.send(chunk("two") + "0\r\n\r\n")
            try await client.receive(chunk("two") + "0\r\n\r\n")
            try await client.receive("\r\n\r\nwhole")
            try await client.receive("\r\n\r\nonetwo")
            try await client.receive("\r\n\r\nwhole")
            client.send(Self.get)
            try await client.receive("\r\n\r\nwhole")
        }
    }

    @Test func `an upload sent ahead behind a response that still grows is taken after it`() async throws {
        try await withOrigin { origin in
            let uploader = try await origin.upload("/b.ts", "one")
            let viewer = try await origin.viewer("/b.ts")
            try await viewer.receive(chunk("one"))
            viewer.send("PUT /c.ts HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx" + Self.get)
            #expect(try await origin.request("GET", "/c.ts").status == 404)
            uploader.send("0\r\n\r\n")
            try await viewer.receive("0\r\n\r\nHTTP/1.1 201 Created\r\n")
            try await viewer.receive("HTTP/1.1 404 Not Found\r\n")
            #expect(try await origin.request("GET", "/c.ts").body == "x")
        }
    }

    @Test(arguments: [
        "GET /a.ts HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "GET /a.ts HTTP/1.0\r\n\r\n",
        "GET /a.ts HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    ])
    func `a connection that is not to be kept is closed after the response`(request: String) async throws {
        try await withOrigin { origin in
            _ = try await origin.request("PUT", "/a.ts", body: "whole")
            let text = try await origin.exchange(request + Self.get)
            #expect(text.hasSuffix("\r\n\r\nwhole"))
            #expect(Response(text)["Connection"] == "close")
        }
    }

    @Test func `the body of a GET is read over`() async throws {
        try await withOrigin { origin in
            _ = try await origin.request("PUT", "/a.ts", body: "whole")
            let client = try await origin.client()
            client.send("GET /a.ts HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde" + Self.get)
            try await client.receive("\r\n\r\nwhole")
            client.send("GET /a.ts HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(chunk("abcde"))0\r\n\r\n")
            try await client.receive("\r\n\r\nwhole")
            client.send(Self.get)
            try await client.receive("\r\n\r\nwhole")
        }
    }

    @Test(arguments: ["", "G", "GET /a.ts HTTP/1.1\r\nHost: a\r\nX: ", "\r\n\r\n"])
    func `a request that does not come to its end is not waited for`(start: String) async throws {
        try await withOrigin {
            $0.requestTimeout = .milliseconds(200)
        } _: { origin async throws in
            #expect(try await origin.exchange(start) == "")
        }
    }

    @Test func `a peer that sends its request slowly for ever is closed all the same`() async throws {
        try await withOrigin {
            $0.requestTimeout = .milliseconds(300)
        } _: { origin in
            let client = try await origin.client()
            client.send("GET /a.ts HTTP/1.1\r\nHost: a\r\nX: ")
            let dripping = Task {
                while !Task.isCancelled {
                    client.send("X")
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
            #expect(try await client.receiveAll() == "")
            dripping.cancel()
        }
    }

    @Test func `a connection that was used is closed when it has been idle for the time`() async throws {
        try await withOrigin {
            $0.idleTimeout = .seconds(1)
        } _: { origin async throws in
            #expect(try await origin.exchange(Self.get + Self.get).hasSuffix("there is no such object\n"))
        }
    }

    @Test func `a slow reader gets every byte of a large object, also where the connection is closed after`()
        async throws
    {
        try await withOrigin { origin in
            let uploader = try await origin.client()
            uploader.send("PUT /a.ts HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n")
            uploader.send(ByteBuffer(repeating: 0x61, count: 8_000_000))
            try await uploader.receive("201 Created\r\n")
            for connection in ["keep-alive", "close"] {
                let client = try await origin.client(receiving: 65_536)
                client.send("GET /a.ts HTTP/1.1\r\nHost: a\r\nConnection: \(connection)\r\n\r\n")
                // Another's exchange goes by while this one does not read.
                #expect(try await origin.request("HEAD", "/a.ts").status == 200)
                try await client.startReading()
                try await client.receive("\r\n\r\n")
                let body = try await client.receive(count: 8_000_000)
                #expect(body.utf8.allSatisfy { $0 == 0x61 })
                if connection == "close" { #expect(try await client.receiveAll() == "") }
            }
        }
    }

    @Test func `a reader that takes nothing is cut, and others do not notice`() async throws {
        try await withOrigin {
            $0.stallLimit = .seconds(3)
        } _: { origin in
            let uploader = try await origin.upload("/a.ts", "begin")
            let stalled = try await origin.client(receiving: 65_536)
            stalled.send(Self.get)
            let viewer = try await origin.viewer("/a.ts")
            try await viewer.receive(chunk("begin"))
            let piece = String(repeating: "a", count: 1_000_000)
            for _ in 0..<16 { uploader.send(chunk(piece)) }
            uploader.send("0\r\n\r\n")
            try await uploader.receive("201 Created\r\n")
            let all = try await viewer.receive(ending: "a\r\n0\r\n\r\n")
            #expect(all.utf8.count > 16_000_000)
            // It is cut once the chunks that it alone still holds are given back; what it then finds has no end.
            try await waitUntil { origin.store.heldBytes < 17_000_000 }
            try await stalled.startReading()
            let received = try await stalled.receiveAll()
            #expect(received.utf8.count < 16_000_000)
            #expect(!received.hasSuffix("0\r\n\r\n"))
        }
    }

    @Test func `when all is over and expired nothing is held`() async throws {
        try await withOrigin { origin in
            let list = playlist(["0.ts"], announcing: ["1.ts", "2.ts"])
            _ = try await origin.request("PUT", "/live/s/0.ts", body: "x")
            _ = try await origin.request("PUT", "/live/s/a.m3u8", body: list)
            let announced = try await origin.viewer("/live/s/2.ts")
            let uploader = try await origin.upload("/live/s/1.ts", "one")
            let viewer = try await origin.viewer("/live/s/1.ts")
            try await viewer.receive(chunk("one"))
            let replacing = try await origin.upload("/live/s/0.ts", "other")
            #expect(origin.store.heldBytes > 0)
            uploader.close()
            replacing.close()
            // An hour goes by in the store, once it knows that the uploads broke off.
            try await waitUntil {
                _ = origin.store.timePassed(now: .now() + .hours(1))
                return origin.store.counts == (0, 0) && origin.store.heldBytes == 0
            }
            #expect(try await viewer.receiveAll() == "")
            #expect(try await announced.receiveAll() == "")
        }
    }

    /// Looks again until it is so; that it never is, is the failure.
    private func waitUntil(_ condition: () -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(60)
        while !condition() {
            try #require(ContinuousClock.now < end, "it did not come to be so")
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
