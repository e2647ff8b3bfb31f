import ArgumentParser

/// The flags of `headwater-ingest`; their values are read in ``IngestSettings``.
struct IngestOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where RTMP is taken (default: 0.0.0.0:1935).", valueName: "host:port"))
    var rtmpListen: String?

    @Option(
        help: ArgumentHelp(
            """
            An HTTP origin to push to; repeatable, and each is served independently of the others \
            (default: http://127.0.0.1:9094).
            """, valueName: "url"))
    var origin: [String] = []

    @Option(
        help: ArgumentHelp(
            """
            A file whose first line is the token that every origin is sent with each request \
            (Authorization: Bearer …); SIGHUP reads it again (default: none).
            """, valueName: "file"))
    var originTokenFile: String?

    @Option(
        help: ArgumentHelp(
            "The authorities (PEM) that sign the origins' certificates, for https:// (default: the system's).",
            valueName: "file"))
    var originCaFile: String?

    @Option(
        help: ArgumentHelp("The certificate (PEM) that is shown to the origins (default: none).", valueName: "file"))
    var originClientCertificate: String?

    @Option(
        help: ArgumentHelp(
            "Its private key (PEM, no passphrase) where it stands in a file of its own (default: none).",
            valueName: "file"))
    var originClientKey: String?

    @Option(
        help: ArgumentHelp(
            "A further destination: file:DIR writes segments and playlists below DIR; repeatable (default: none).",
            valueName: "destination"))
    var output: [String] = []

    @Option(
        help: ArgumentHelp(
            """
            What to make of each stream; repeatable, or a list with commas (default: source). source passes on what \
            the encoder sends. 1080p, 720p, 480p, 360p and 240p are encoded; those larger than the source are left out. \
            audio is sound alone. Settings follow a preset, or a name of your own: 720p,fps=30,video-bitrate=2M or \
            name=hd,size=1600x900,video-bitrate=4M. They are size, fps, video-bitrate, max-bitrate, video-encoder, \
            preset, tune, profile, encoder-options, audio-bitrate, audio-channels and upscale; \
            docs/configuration.md tells each.
            """, valueName: "spec"))
    var rendition: [String] = []

    @Option(
        help: ArgumentHelp(
            """
            Drawn into each encoded rendition: none, or clock for its name, the local time with milliseconds and the \
            frame number (default: none).
            """, valueName: "overlay"))
    var overlay: String?

    @Option(
        help: ArgumentHelp(
            """
            Another source than RTMP: anything libavformat opens, and the stream it becomes; repeatable \
            (default: none). For instance srt://0.0.0.0:9000?mode=listener=live/cam, /srv/film.mp4=live/film or pipe:0=live/pipe.
            """, valueName: "url=stream"))
    var input: [String] = []

    @Flag(
        inversion: .prefixedNo,
        help: "Whether inputs other than files, such as pipes, are read in real time too (default: no).")
    var inputRealtime: Bool?

    @Option(
        help: ArgumentHelp(
            "Publishes a built-in picture with a clock and a beep as this stream, such as live/test (default: none).",
            valueName: "stream"))
    var testPattern: String?

    @Option(
        help: ArgumentHelp(
            "The shortest segment, 500ms to 30s; segments follow the encoder's keyframes (default: 1s).",
            valueName: "time"))
    var segmentDuration: String?

    @Option(help: ArgumentHelp("Complete segments kept in the playlist, 3 to 1000 (default: 6).", valueName: "count"))
    var window: String?

    @Option(
        help: ArgumentHelp(
            "Segments announced ahead of the growing one; 0 for plain HLS of complete segments (default: 3).",
            valueName: "count"))
    var lhlsAhead: String?

    @Option(
        help: ArgumentHelp(
            "How long a broadcast waits for its encoder to come back before its playlists end (default: 30s).",
            valueName: "time"))
    var resumeWindow: String?

    @Option(
        help: ArgumentHelp(
            "A second publisher on a live stream: takeover closes the first, refuse the second (default: takeover).",
            valueName: "policy"))
    var onConflict: String?

    @Option(help: ArgumentHelp("Publishers at once (default: 1000).", valueName: "count"))
    var publishersLimit: String?

    @Option(
        help: ArgumentHelp(
            "Where /metrics, /healthz and /readyz are served (default: 127.0.0.1:9193).", valueName: "host:port"))
    var adminListen: String?

    @Option(help: ArgumentHelp("Event loop threads (default: one for each processor).", valueName: "count"))
    var threads: String?

    @Option(
        help: ArgumentHelp(
            "trace, debug, info, notice, warning, error or critical (default: info).", valueName: "level"))
    var logLevel: String?

    @Option(help: ArgumentHelp("text or json (default: text).", valueName: "format"))
    var logFormat: String?

    @Option(help: ArgumentHelp("A YAML file with the same keys (default: none).", valueName: "file"))
    var config: String?

    /// What was given, by key.
    var flags: [String: [String]] {
        let single: [String: String?] = [
            "rtmp-listen": rtmpListen, "origin-token-file": originTokenFile, "origin-ca-file": originCaFile,
            "origin-client-certificate": originClientCertificate, "origin-client-key": originClientKey,
            "segment-duration": segmentDuration, "window": window, "lhls-ahead": lhlsAhead,
            "resume-window": resumeWindow, "on-conflict": onConflict, "publishers-limit": publishersLimit,
            "overlay": overlay, "input-realtime": inputRealtime.map { "\($0)" }, "test-pattern": testPattern,
            "admin-listen": adminListen, "threads": threads, "log-level": logLevel, "log-format": logFormat,
            "config": config,
        ]
        var flags = single.compactMapValues { $0.map { [$0] } }
        if !origin.isEmpty { flags["origin"] = origin }
        if !output.isEmpty { flags["output"] = output }
        if !rendition.isEmpty { flags["rendition"] = rendition }
        if !input.isEmpty { flags["input"] = input }
        return flags
    }
}
