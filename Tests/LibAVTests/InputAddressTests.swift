import LibAV
import Testing

@Suite struct InputAddressTests {
    @Test(
        arguments: [
            ("film.mp4", "file", .file), ("/media/a:b.ts", "file", .file), ("file:film.mp4", "file", .file),
            ("stream.sdp", "file", .session), ("pipe:0", "pipe", .descriptor(0)), ("pipe:", "pipe", .descriptor(0)),
            ("pipe:3", "pipe", .descriptor(3)), ("srt://0.0.0.0:9000?mode=listener", "srt", .listener),
            ("srt://0.0.0.0:9000?latency=20000&mode=listener", "srt", .listener),
            ("srt://host:9000?mode=caller", "srt", .pull), ("SRT://host:9000", "srt", .pull),
            ("tcp://0.0.0.0:9000?listen", "tcp", .listener), ("tcp://0.0.0.0:9000?listen=1", "tcp", .listener),
            ("tcp://0.0.0.0:9000?listen=0", "tcp", .pull), ("tcp://host:9000", "tcp", .pull),
            ("udp://239.0.0.1:1234", "udp", .datagrams), ("rtp://0.0.0.0:5004", "rtp", .session),
            ("rtsp://camera/1", "rtsp", .pull), ("https://host/live.m3u8?listen", "https", .pull), ("", "file", .file),
        ] as [(String, String, InputAddress.Kind)])
    func `addresses are read as libavformat reads them`(url: String, scheme: String, kind: InputAddress.Kind) {
        let address = InputAddress(url)
        #expect(address.scheme == scheme)
        #expect(address.kind == kind)
    }

    @Test func `what is stored can come faster than it plays`() {
        #expect(InputAddress("film.mp4").isStored)
        #expect(InputAddress("https://host/film.m3u8").isStored)
        for live in ["pipe:0", "srt://host:1", "udp://host:1", "rtsp://host/1", "tcp://host:1", "camera.sdp"] {
            #expect(!InputAddress(live).isStored, "\(live)")
        }
    }

    @Test func `datagrams may get lost`() {
        for address in ["srt://host:1", "udp://host:1", "udplite://host:1", "rist://host:1"] {
            #expect(InputAddress(address).losesBytes, "\(address)")
        }
        for address in ["film.ts", "pipe:0", "tcp://host:1", "https://host/live.ts"] {
            #expect(!InputAddress(address).losesBytes, "\(address)")
        }
    }
}
