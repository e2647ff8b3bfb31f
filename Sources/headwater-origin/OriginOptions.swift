import ArgumentParser
import OriginStore

/// The flags of `headwater-origin`; their values are read in ``OriginSettings``.
struct OriginOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Where players read, and uploads are taken (default: 0.0.0.0:9094).", valueName: "host:port")
    )
    var listen: String?

    @Option(
        help: ArgumentHelp(
            "Where uploads (PUT, POST, DELETE) are taken instead; --listen then only reads (default: none).",
            valueName: "host:port"))
    var publishListen: String?

    @Option(
        help: ArgumentHelp(
            """
            The Cache-Control header of a class of responses; repeatable. Classes: multivariant, playlist, segment, \
            init, not-found, error. {target} and {half-target} in a value stand for the playlist's target duration \
            and half of it, in seconds; 'upstream' passes on what the uploader sent. Defaults:
            \(CachePolicy().descriptions.joined(separator: "\n"))
            """, valueName: "class=value"))
    var cache: [String] = []

    @Option(
        help: ArgumentHelp(
            "Media held in memory; beyond it the oldest complete objects go (default: 1GiB).", valueName: "bytes"))
    var memoryLimit: String?

    @Option(help: ArgumentHelp("The largest single object (default: 256MiB).", valueName: "bytes"))
    var objectLimit: String?

    @Option(
        help: ArgumentHelp(
            "How long an upload that broke off may be taken up again before its readers are cut (default: 5s).",
            valueName: "time"))
    var uploadResumeWindow: String?

    @Option(
        help: ArgumentHelp(
            "How long a reader may wait for the first byte of an announced object (default: 40s).", valueName: "time"))
    var holdLimit: String?

    @Option(
        help: ArgumentHelp(
            "How long a reader that takes nothing is kept (default: 30s).", valueName: "time"))
    var stallLimit: String?

    @Option(
        help: ArgumentHelp(
            "How long a complete object lives that no playlist lists (default: 1m).", valueName: "time"))
    var unlistedLifetime: String?

    @Option(
        help: ArgumentHelp(
            "How long a playlist lives that is not stored again (default: 5m).", valueName: "time"))
    var playlistLifetime: String?

    @Option(
        help: ArgumentHelp(
            "Where /metrics, /healthz and /readyz are served (default: 127.0.0.1:9194).", valueName: "host:port"))
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
            "listen": listen, "publish-listen": publishListen, "memory-limit": memoryLimit,
            "object-limit": objectLimit, "upload-resume-window": uploadResumeWindow, "hold-limit": holdLimit,
            "stall-limit": stallLimit, "unlisted-lifetime": unlistedLifetime, "playlist-lifetime": playlistLifetime,
            "admin-listen": adminListen, "threads": threads, "log-level": logLevel, "log-format": logFormat,
            "config": config,
        ]
        var flags = single.compactMapValues { $0.map { [$0] } }
        if !cache.isEmpty { flags["cache"] = cache }
        return flags
    }
}
