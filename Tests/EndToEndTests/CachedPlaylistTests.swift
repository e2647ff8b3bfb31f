import Testing

/// Playlists through Varnish, with the recipe of `deploy/varnish`.
@Suite(.serialized) struct CachedPlaylistTests {
    static let path = "/live/show/source.m3u8"

    /// A version of the playlist. Its target duration allows caches half of that, in seconds.
    static func playlist(_ sequence: Int, targetDuration: Int = 2) -> [UInt8] {
        Array(
            """
            #EXTM3U
            #EXT-X-VERSION:3
            #EXT-X-TARGETDURATION:\(targetDuration)
            #EXT-X-MEDIA-SEQUENCE:\(sequence)
            #EXTINF:2.000,
            \(sequence).ts

            """.utf8)
    }

    @Test func `a playlist is kept for its max-age, and never served beyond`() async throws {
        try await withOrigin { origin in
            let recorder = try await OriginRecorder(inFrontOf: origin)
            try await withVarnish(inFrontOf: recorder.port) { varnish in
                let url = varnish.http + Self.path
                try await origin.upload(Self.path, Self.playlist(1))
                var responses = [try await Curl.get(url)]
                #expect(responses[0].body == Self.playlist(1))
                #expect(responses[0].headers["cache-control"]?.contains("max-age=1") == true)

                // Asked all the time: the old one may come until it is a second old, then the new one.
                try await origin.upload(Self.path, Self.playlist(2))
                repeat {
                    responses.append(try await Curl.get(url))
                } while responses.last?.body == Self.playlist(1) && responses.count < 2_000
                #expect(responses.last?.body == Self.playlist(2))
                #expect(responses.allSatisfy { $0.status == 200 && $0.headers["age"].map { Int($0) ?? 9 } ?? 9 <= 1 })

                // Asked by nobody for a while: the first to ask gets the new one, not the old one while it is fetched.
                try await origin.upload(Self.path, Self.playlist(3))
                try await Task.sleep(for: .milliseconds(1_200))
                responses.append(try await Curl.get(url))
                #expect(responses.last?.body == Self.playlist(3))
                let requests = recorder.requests { $0.hasPrefix("GET \(Self.path) ") }
                #expect(requests == responses.count { $0.headers["x-cache"] == "MISS" })

                // Nor does it come from a cache that cannot reach the origin; and the error is not kept.
                try await recorder.close()
                try await Task.sleep(for: .milliseconds(1_200))
                let response = try await Curl.get(url)
                #expect(response.status == 503)
                #expect(response.headers["cache-control"] == "no-store")
                #expect(response.headers["access-control-allow-origin"] == "*")
            }
        }
    }

    @Test func `of the query only the LL-HLS directives choose a response, in any order`() async throws {
        try await withOrigin { origin in
            let recorder = try await OriginRecorder(inFrontOf: origin)
            try await withVarnish(inFrontOf: recorder.port) { varnish in
                try await origin.upload(Self.path, Self.playlist(1, targetDuration: 120))
                let queries: [(query: String, cache: String)] = [
                    ("", "MISS"),
                    ("?token=1", "HIT"),
                    ("?token=2&session=_HLS_msn", "HIT"),
                    ("?_HLS_msn=1&_HLS_part=2", "MISS"),
                    ("?_HLS_part=2&_HLS_msn=1", "HIT"),
                    ("?token=1&_HLS_part=2&session=2&_HLS_msn=1&end", "HIT"),
                    ("?_HLS_msn=1", "MISS"),
                    ("?_HLS_msn=1&_HLS_skip=YES", "MISS"),
                ]
                for (query, cache) in queries {
                    let response = try await Curl.get(varnish.http + Self.path + query)
                    #expect(response.status == 200)
                    #expect(response.headers["x-cache"] == cache, "\(query)")
                }
                // The origin sees the whole query: the signature of who asks first may be in it.
                #expect(recorder.requests { $0.contains("?_HLS_msn=1&_HLS_skip=YES ") } == 1)
            }
            try await recorder.close()
        }
    }
}
