import Testing

/// Encoders other than ffmpeg, as their users start them.
@Suite struct EncoderTests {
    /// GStreamer's own RTMP client, and its element over librtmp, on which OBS's is built too.
    @Test(arguments: ["rtmp2sink", "rtmpsink"])
    func `GStreamer publishes and is played`(_ sink: String) async throws {
        try await withServices(ingest: ["--resume-window", "1s"]) { services in
            async let publishing = FFmpeg.run(
                "gst-launch-1.0",
                [
                    "-q", "flvmux", "name=mux", "streamable=true", "!", sink, "location=\(services.rtmp)/live/stream",
                    // Paced by the clock, but not live: a busy host delays frames and drops none.
                    "videotestsrc", "num-buffers=150", "!",
                    "video/x-raw,width=320,height=180,framerate=30/1", "!", "identity", "sync=true",
                    "!", "x264enc", "tune=zerolatency", "key-int-max=30", "speed-preset=ultrafast", "!", "mux.",
                    "audiotestsrc", "num-buffers=215", "!", "identity", "sync=true", "!", "avenc_aac", "!", "mux.",
                ])
            _ = try await services.ingestLog.line(with: "broadcast started broadcast.id")
            try await services.waitForPlaylist("live/stream")
            var follower = Follower()
            try await follower.follow("\(services.http)/live/stream/source.m3u8")
            // It throws where the encoder does not end well.
            _ = try await publishing
            let frames = try await withTemporaryFolder { folder in
                try await follower.write(to: "\(folder)/received.ts")
                return (
                    try await FFmpeg.frames("\(folder)/received.ts", track: "v").count,
                    try await FFmpeg.frames("\(folder)/received.ts", track: "a").count
                )
            }
            #expect(frames.0 == 150)
            #expect(frames.1 >= 214)
        }
    }
}
