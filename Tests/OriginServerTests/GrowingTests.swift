import NIOCore
import OriginServer
import OriginStore
import Testing

@Suite struct GrowingTests {
    @Test func `the first bytes arrive before the last are sent`() async throws {
        try await withOrigin { origin in
            let uploader = try await origin.upload("/live/s/a.ts", "one")
            let early = try await origin.viewer("/live/s/a.ts")
            try await early.receive(chunk("one"))
            uploader.send(chunk("two"))
            try await early.receive(chunk("two"))
            let late = try await origin.viewer("/live/s/a.ts")
            try await late.receive(chunk("one") + chunk("two"))
            uploader.send(chunk("three") + "0\r\n\r\n")
            try await uploader.receive("HTTP/1.1 201 Created\r\n")
            try await early.receive(chunk("three") + "0\r\n\r\n")
            try await late.receive(chunk("three") + "0\r\n\r\n")
            let whole = try await origin.request("GET", "/live/s/a.ts")
            #expect(whole.body == "onetwothree")
            #expect(whole["Content-Length"] == "11")
        }
    }

    @Test func `the head of an announced object comes at once and its body as it is produced`() async throws {
        try await withOrigin { origin in
            let list = playlist([], announcing: ["a.ts"])
            #expect(try await origin.request("PUT", "/live/s/source.m3u8", body: list).status == 201)
            let viewer = try await origin.viewer("/live/s/a.ts")
            let head = try await origin.request("HEAD", "/live/s/a.ts")
            #expect(head.status == 200)
            #expect(head["Content-Type"] == "video/mp2t")
            #expect(head["ETag"] == nil)
            #expect(head["Content-Length"] == nil)
            let uploader = try await origin.upload("/live/s/a.ts", "x")
            try await viewer.receive(chunk("x"))
            uploader.send("0\r\n\r\n")
            try await viewer.receive("0\r\n\r\n")
        }
    }

    @Test func `readers of an announced object that never begins are cut`() async throws {
        try await withOrigin {
            $0.store.holdLimit = .milliseconds(200)
        } _: { origin in
            _ = try await origin.request(
                "PUT", "/live/s/source.m3u8", body: playlist([], announcing: ["a.ts", "b.ts"]))
            let held = try await origin.viewer("/live/s/a.ts")
            #expect(try await held.receiveAll() == "")
        }
        try await withOrigin { origin in
            _ = try await origin.request(
                "PUT", "/live/s/source.m3u8", body: playlist([], announcing: ["a.ts", "b.ts"]))
            let dropped = try await origin.viewer("/live/s/a.ts")
            _ = try await origin.request("PUT", "/live/s/source.m3u8", body: playlist([], announcing: ["b.ts"]))
            #expect(try await dropped.receiveAll() == "")
            #expect(try await origin.request("GET", "/live/s/a.ts").status == 404)
            let removed = try await origin.viewer("/live/s/b.ts")
            #expect(try await origin.request("DELETE", "/live/s/source.m3u8").status == 200)
            #expect(try await removed.receiveAll() == "")
        }
    }

    @Test func `an upload that breaks off cuts its readers after the resume window, without a clean end`() async throws
    {
        try await withOrigin {
            $0.store.resumeWindow = .milliseconds(200)
        } _: { origin in
            let uploader = try await origin.upload("/live/s/a.ts", "one")
            let viewer = try await origin.viewer("/live/s/a.ts")
            try await viewer.receive(chunk("one"))
            uploader.close()
            #expect(try await viewer.receiveAll() == "")
            let response = try await origin.request("GET", "/live/s/a.ts")
            #expect(response.status == 404)
            #expect(response["Cache-Control"] == "no-store")
        }
    }

    @Test func `a body whose framing breaks is refused and counts as broken off`() async throws {
        try await withOrigin {
            $0.store.resumeWindow = .milliseconds(200)
        } _: { origin in
            let uploader = try await origin.upload("/live/s/a.ts", "one")
            let viewer = try await origin.viewer("/live/s/a.ts")
            try await viewer.receive(chunk("one"))
            uploader.send("zz\r\n")
            #expect(Response(try await uploader.receiveAll()).status == 400)
            #expect(try await viewer.receiveAll() == "")
        }
    }

    @Test func `a repeat within the resume window is continued and readers do not notice`() async throws {
        try await withOrigin {
            $0.store.resumeWindow = .seconds(60)
        } _: { origin in
            let first = try await origin.upload("/live/s/a.ts", "one")
            let viewer = try await origin.viewer("/live/s/a.ts")
            try await viewer.receive(chunk("one"))
            first.close()
            let second = try await origin.upload("/live/s/a.ts", "on", "e tw", "o")
            let start = try await viewer.receive("o\r\n")
            second.send("0\r\n\r\n")
            #expect(payload(ofChunked: start + (try await viewer.receive("0\r\n\r\n"))) == " two")
            #expect(try await origin.request("GET", "/live/s/a.ts").body == "one two")
        }
    }

    @Test func `a repeat with other bytes cuts the readers and is served instead`() async throws {
        try await withOrigin { origin in
            let first = try await origin.upload("/live/s/a.ts", "one two")
            let viewer = try await origin.viewer("/live/s/a.ts")
            try await viewer.receive(chunk("one two"))
            let second = try await origin.upload("/live/s/a.ts", "one THREE")
            #expect(try await viewer.receiveAll() == "")
            let other = try await origin.viewer("/live/s/a.ts")
            try await other.receive("THREE\r\n")
            second.send("0\r\n\r\n")
            try await other.receive("0\r\n\r\n")
            first.send(chunk("more"))
            #expect(Response(try await first.receiveAll()).status == 412)
            #expect(try await origin.request("GET", "/live/s/a.ts").body == "one THREE")
        }
    }

    @Test func `a client of HTTP 1.0 gets the whole object with its length, or is cut`() async throws {
        try await withOrigin { origin in
            let uploader = try await origin.upload("/live/s/a.ts", "one")
            _ = try await origin.viewer("/live/s/a.ts")
            let old = try await origin.client()
            old.send("GET /live/s/a.ts HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let cut = try await origin.client()
            cut.send("GET /live/s/b.ts HTTP/1.0\r\n\r\n")
            #expect(Response(try await cut.receiveAll()).status == 404)
            uploader.send(chunk("two") + "0\r\n\r\n")
            let response = Response(try await old.receiveAll())
            #expect(response.status == 200)
            #expect(response["Content-Length"] == "6")
            #expect(response["Transfer-Encoding"] == nil)
            #expect(response["Connection"] == "close")
            #expect(response.body == "onetwo")
        }
    }

    @Test func `removing a growing object cuts its readers and its uploader`() async throws {
        try await withOrigin { origin in
            let uploader = try await origin.upload("/live/s/a.ts", "one")
            let viewer = try await origin.viewer("/live/s/a.ts")
            try await viewer.receive(chunk("one"))
            #expect(try await origin.request("DELETE", "/live/s/a.ts").status == 200)
            #expect(try await viewer.receiveAll() == "")
            #expect(try await origin.request("DELETE", "/live/s/a.ts").status == 404)
            uploader.send(chunk("two"))
            #expect(Response(try await uploader.receiveAll()).status == 412)
        }
    }

    @Test func `many readers on several event loops get every byte, and some who leave disturb nobody`() async throws {
        try await withOrigin { origin in
            let uploader = try await origin.upload("/live/s/a.ts", "begin")
            var viewers: [Client] = []
            for _ in 0..<60 { viewers.append(try await origin.viewer("/live/s/a.ts")) }
            for number in 0..<50 {
                uploader.send(chunk("piece \(number);"))
                if number % 5 == 0 { viewers.remove(at: number % viewers.count).close() }
            }
            uploader.send("0\r\n\r\n")
            let expected = "begin" + (0..<50).map { "piece \($0);" }.joined()
            for viewer in viewers {
                let body = try await viewer.receive("0\r\n\r\n")
                #expect(payload(ofChunked: body) == expected)
            }
        }
    }

    /// What a chunked body carries; nil where its framing is wrong.
    private func payload(ofChunked body: String) -> String? {
        var rest = body[...]
        var payload = ""
        while let line = rest.firstRange(of: "\r\n"), let size = Int(rest[..<line.lowerBound], radix: 16) {
            rest = rest[line.upperBound...]
            if size == 0 { return rest == "\r\n" ? payload : nil }
            payload += rest.prefix(size)
            rest = rest.dropFirst(size)
            guard rest.hasPrefix("\r\n") else { return nil }
            rest = rest.dropFirst(1)
        }
        return nil
    }
}
