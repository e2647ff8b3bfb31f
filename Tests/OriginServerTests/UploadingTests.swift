import NIOCore
import OriginServer
import OriginStore
import Testing

@Suite struct UploadingTests {
    @Test func `objects are created, replaced and removed`() async throws {
        try await withOrigin { origin async throws in
            #expect(try await origin.request("PUT", "/live/s/a.ts", body: "one").status == 201)
            #expect(try await origin.request("POST", "/live/s/b.ts", body: "two").status == 201)
            #expect(try await origin.request("PUT", "/live/s/a.ts", body: "new").status == 204)
            #expect(try await origin.request("GET", "/live/s/a.ts").body == "new")
            #expect(try await origin.request("PUT", "/live/s/empty.ts").status == 201)
            #expect(try await origin.request("GET", "/live/s/empty.ts")["Content-Length"] == "0")
            #expect(try await origin.request("DELETE", "/live/s/a.ts").status == 200)
            #expect(try await origin.request("DELETE", "/live/s/a.ts").status == 404)
            #expect(try await origin.request("GET", "/live/s/a.ts").status == 404)
        }
    }

    @Test func `an upload may come byte by byte, chunked with extensions and trailers`() async throws {
        try await withOrigin { origin in
            let client = try await origin.client()
            let request =
                "PUT /live/s/a.ts HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n"
                + "3;name=value\r\none\r\n003\r\ntwo\r\n0\r\nX: y\r\n\r\n"
            for character in request.utf8 { client.send(ByteBuffer(bytes: [character])) }
            try await client.receive("HTTP/1.1 201 Created\r\n")
            #expect(try await origin.request("GET", "/live/s/a.ts").body == "onetwo")
        }
    }

    @Test func `one connection takes many uploads, sent ahead too`() async throws {
        try await withOrigin { origin in
            let client = try await origin.client()
            let requests = (0..<100).map {
                "PUT /live/s/\($0).ts HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(chunk("body \($0)"))0\r\n\r\n"
            }
            client.send(requests.joined())
            for _ in 0..<100 { try await client.receive("HTTP/1.1 201 Created\r\n") }
            client.send("GET /live/s/99.ts HTTP/1.1\r\nHost: a\r\n\r\n")
            try await client.receive("\r\n\r\nbody 99")
        }
    }

    @Test func `an uploader that asks first is answered at once, yes or no`() async throws {
        try await withOrigin { origin in
            _ = try await origin.upload("/live/s/a.ts")
            let client = try await origin.client()
            client.send("PUT /live/../a.ts HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n")
            let response = Response(try await client.receiveAll())
            #expect(response.status == 400)
        }
    }

    @Test func `a refusal is seen though the body still comes`() async throws {
        try await withOrigin { origin in
            _ = try await origin.request("PUT", "/live/s/a.ts", "Headwater-Epoch: 2", body: "x")
            let client = try await origin.client()
            client.send("PUT /live/s/b.ts HTTP/1.1\r\nHost: a\r\nHeadwater-Epoch: 1\r\nContent-Length: 8000000\r\n\r\n")
            client.send(ByteBuffer(repeating: 0, count: 8_000_000))
            let response = Response(try await client.receiveAll())
            #expect(response.status == 409)
            #expect(response["Connection"] == "close")
            #expect(response.body.contains("larger epoch 2"))
            #expect(try await origin.request("DELETE", "/live/s/a.ts", "Headwater-Epoch: 1").status == 409)
        }
    }

    @Test func `a playlist that does not parse is refused with the reason and the version before stays`() async throws {
        try await withOrigin { origin in
            let list = playlist(["0.ts"])
            _ = try await origin.request("PUT", "/live/s/a.m3u8", body: list)
            let refusal = try await origin.request("PUT", "/live/s/a.m3u8", body: "#EXTM3U\n#EXTINF:x,\na.ts\n")
            #expect(refusal.status == 400)
            #expect(refusal.body.contains("line 2"))
            let response = try await origin.request("GET", "/live/s/a.m3u8")
            #expect(response.body == list)
            #expect(response["ETag"] != nil)
        }
    }

    @Test func `an upload over the limit is refused, its length known or not`() async throws {
        try await withOrigin {
            $0.store.objectLimitBytes = 10
            $0.store.resumeWindow = .milliseconds(50)
        } _: { origin in
            #expect(try await origin.request("PUT", "/a.ts", body: "01234567890").status == 413)
            let uploader = try await origin.upload("/b.ts", "0123456789")
            let viewer = try await origin.viewer("/b.ts")
            try await viewer.receive(chunk("0123456789"))
            uploader.send(chunk("0"))
            #expect(Response(try await uploader.receiveAll()).status == 413)
            #expect(try await viewer.receiveAll() == "")
        }
    }

    @Test func `an upload that finds no memory is refused`() async throws {
        try await withOrigin {
            $0.store.memoryLimitBytes = 100_000
        } _: { origin in
            let response = try await origin.request("PUT", "/a.ts", body: String(repeating: "a", count: 200_000))
            #expect(response.status == 507)
            #expect(response.body.contains("--stream-memory-limit"))
            #expect(try await origin.request("PUT", "/b.ts", body: "x").status == 201)
        }
    }

    @Test func `an upload whose length is not what was promised is not complete`() async throws {
        try await withOrigin {
            $0.store.resumeWindow = .milliseconds(50)
        } _: { origin in
            let client = try await origin.client()
            client.send("PUT /a.ts HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n01234")
            try await client.receive("100 Continue\r\n\r\n")
            let viewer = try await origin.viewer("/a.ts")
            try await viewer.receive(chunk("01234"))
            client.close()
            #expect(try await viewer.receiveAll() == "")
            #expect(try await origin.request("GET", "/a.ts").status == 404)
        }
    }

    @Test func `an uploader that falls silent is given up`() async throws {
        try await withOrigin {
            $0.uploadTimeout = .milliseconds(200)
            $0.store.resumeWindow = .milliseconds(50)
        } _: { origin in
            _ = try await origin.request("PUT", "/a.m3u8", body: playlist([], announcing: ["a.ts"]))
            let viewer = try await origin.viewer("/a.ts")
            let uploader = try await origin.upload("/a.ts", "one")
            #expect(try await viewer.receiveAll() == chunk("one"))
            #expect(try await uploader.receiveAll().hasPrefix("HTTP/1.1 408 "))
        }
    }

    @Test func `with a listener for publishers, players can neither upload nor remove`() async throws {
        try await withOrigin {
            $0.publishListen = SocketEndpoint(host: "127.0.0.1", port: 0)
        } _: { origin in
            #expect(origin.address != origin.publishAddress)
            let publish = Origin(
                address: origin.publishAddress, publishAddress: origin.publishAddress, store: origin.store,
                group: origin.group)
            #expect(try await publish.request("PUT", "/a.ts", body: "x").status == 201)
            #expect(try await origin.request("GET", "/a.ts").body == "x")
            for method in ["PUT", "POST", "DELETE"] {
                let response = try await origin.request(method, "/a.ts", body: "y")
                #expect(response.status == 405)
                #expect(response["Allow"] == "GET, HEAD, OPTIONS")
            }
            let response = try await publish.request("GET", "/a.ts")
            #expect(response.status == 405)
            #expect(response["Allow"] == "OPTIONS, PUT, POST, DELETE")
            #expect(try await origin.request("GET", "/a.ts").body == "x")
        }
    }
}
