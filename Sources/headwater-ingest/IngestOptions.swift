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
            "A further destination: file:DIR writes segments and playlists below DIR; repeatable (default: none).",
            valueName: "destination"))
    var output: [String] = []

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
            "rtmp-listen": rtmpListen, "segment-duration": segmentDuration, "window": window, "lhls-ahead": lhlsAhead,
            "resume-window": resumeWindow, "on-conflict": onConflict, "publishers-limit": publishersLimit,
            "admin-listen": adminListen, "threads": threads, "log-level": logLevel, "log-format": logFormat,
            "config": config,
        ]
        var flags = single.compactMapValues { $0.map { [$0] } }
        if !origin.isEmpty { flags["origin"] = origin }
        if !output.isEmpty { flags["output"] = output }
        return flags
    }
}
