import ArgumentParser
import OriginStore

/// The flags of `headwater-origin`; their values are read in ``OriginSettings``.
struct OriginOptions: ParsableArguments {
    @OptionGroup(title: "Listening") var listen: ListenOptions
    @OptionGroup(title: "Who may read and write") var access: AccessOptions
    @OptionGroup(title: "What caches are told") var cache: CacheOptions
    @OptionGroup(title: "What is kept, and for how long") var store: StoreOptions
    @OptionGroup(title: "Limits") var limit: LimitOptions
    @OptionGroup(title: "The process") var process: ProcessOptions

    /// What was given, by key.
    var flags: [String: [String]] {
        [listen.flags, access.flags, cache.flags, store.flags, limit.flags, process.flags]
            .reduce(into: [:]) { flags, group in flags.merge(group) { first, _ in first } }
    }
}

struct ProcessOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where /metrics, /healthz and /readyz are served (default: 127.0.0.1:9194).", valueName: "host:port"))
    var adminListen: String?

    @Option(
        help: ArgumentHelp(
            "Event loop threads (default: one for each processor).", valueName: "count"))
    var threads: String?

    @Option(
        help: ArgumentHelp(
            "trace, debug, info, notice, warning, error or critical (default: info).", valueName: "level"))
    var logLevel: String?

    @Option(
        help: ArgumentHelp(
            "text or json (default: text).", valueName: "format"))
    var logFormat: String?

    @Option(
        help: ArgumentHelp(
            "A YAML file with the same keys (default: none).", valueName: "file"))
    var config: String?

    var flags: [String: [String]] {
        singles([
            "admin-listen": adminListen, "threads": threads, "log-level": logLevel, "log-format": logFormat,
            "config": config,
        ])
    }
}

struct ListenOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where players read, and uploads are taken (default: 0.0.0.0:9094).", valueName: "host:port"))
    var listen: String?

    @Option(
        help: ArgumentHelp(
            "Where uploads (PUT, POST, DELETE) are taken instead; --listen then only reads (default: none).",
            valueName: "host:port"))
    var publishListen: String?

    @Option(
        help: ArgumentHelp(
            """
            A certificate chain (PEM): every listener then speaks TLS. SIGHUP reads it and its key again \
            (default: none).
            """, valueName: "file"))
    var tlsCertificate: String?

    @Option(
        help: ArgumentHelp(
            "The certificate's private key (PEM).", valueName: "file"))
    var tlsKey: String?

    var flags: [String: [String]] {
        singles([
            "listen": listen, "publish-listen": publishListen, "tls-certificate": tlsCertificate, "tls-key": tlsKey,
        ])
    }
}

struct AccessOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Publish tokens, one a line, each with the path prefixes it is for, if not for all; uploads then need \
            'Authorization: Bearer TOKEN'. SIGHUP reads it again (default: none: anyone may publish).
            """, valueName: "file"))
    var publishTokenFile: String?

    @Option(
        help: ArgumentHelp(
            """
            Who has to have signed the certificate of whoever publishes (PEM); needs --publish-listen and \
            --tls-certificate (default: none).
            """, valueName: "file"))
    var publishClientCa: String?

    @Option(
        help: ArgumentHelp(
            """
            Keys of signed URLs, 'ID SECRET' on each line; reading then needs a signature. SIGHUP reads it again \
            (default: none: anyone may read).
            """, valueName: "file"))
    var signingKeyFile: String?

    @Option(
        help: ArgumentHelp(
            """
            Which sites' pages may read, as JSON: AllowedOrigins, AllowedMethods, AllowedHeaders. SIGHUP reads it \
            again (default: none: all may).
            """, valueName: "file"))
    var corsFile: String?

    var flags: [String: [String]] {
        singles([
            "publish-token-file": publishTokenFile, "publish-client-ca": publishClientCa,
            "signing-key-file": signingKeyFile, "cors-file": corsFile,
        ])
    }
}

struct CacheOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            The Cache-Control header of a class of responses; repeatable. Classes: multivariant, playlist, segment, \
            init, not-found, error, or a status from 400 to 599. {target} and {half-target} in a value stand for the \
            playlist's target duration and half of it, in seconds; 'upstream' passes on what the uploader sent, \
            'none' sends no header. Defaults:
            \(CachePolicy().descriptions.joined(separator: "\n"))
            """, valueName: "class=value"))
    var cache: [String] = []

    @Option(
        help: ArgumentHelp(
            """
            The CDN-Cache-Control header of a class of responses, for caches in front alone; repeatable \
            (default: none).
            """, valueName: "class=value"))
    var cdnCache: [String] = []

    @Option(
        help: ArgumentHelp(
            "The Surrogate-Control header of a class of responses; repeatable (default: none).",
            valueName: "class=value"))
    var surrogateCache: [String] = []

    var flags: [String: [String]] {
        ["cache": cache, "cdn-cache": cdnCache, "surrogate-cache": surrogateCache].filter { !$0.value.isEmpty }
    }
}

struct StoreOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            A folder in which complete objects and playlists are kept across restarts \
            (default: none: memory alone).
            """, valueName: "folder"))
    var dataDir: String?

    @Option(
        help: ArgumentHelp(
            """
            When a written object counts as kept: 'never' leaves it to the system, 'always' waits for the disk \
            (default: never).
            """, valueName: "policy"))
    var dataSync: String?

    @Option(
        help: ArgumentHelp(
            "Media held in memory; beyond it the oldest complete objects go (default: 1GiB).", valueName: "bytes"))
    var memoryLimit: String?

    @Option(
        help: ArgumentHelp(
            "How much of it one stream may take (default: half of it).", valueName: "bytes"))
    var streamMemoryLimit: String?

    @Option(
        help: ArgumentHelp(
            "The largest single object (default: 256MiB).", valueName: "bytes"))
    var objectLimit: String?

    @Option(
        help: ArgumentHelp(
            "Objects and playlists that one stream may have (default: 4096).", valueName: "count"))
    var streamObjectLimit: String?

    @Option(
        help: ArgumentHelp(
            """
            'playlist': an object goes some time after the last playlist that lists it; 'upstream': also when the \
            max-age has passed that its uploader sent (default: playlist).
            """, valueName: "policy"))
    var expire: String?

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
            "How long an upload that broke off may be taken up again before its readers are cut (default: 5s).",
            valueName: "time"))
    var uploadResumeWindow: String?

    @Option(
        help: ArgumentHelp(
            "How long a reader may wait for the first byte of an announced object (default: 40s).", valueName: "time"))
    var holdLimit: String?

    @Option(
        help: ArgumentHelp(
            """
            How long a GET waits for an object that is neither there nor announced; 0s answers it with 404 at once \
            (default: 0s).
            """, valueName: "time"))
    var holdMissing: String?

    var flags: [String: [String]] {
        singles([
            "data-dir": dataDir, "data-sync": dataSync, "memory-limit": memoryLimit,
            "stream-memory-limit": streamMemoryLimit, "object-limit": objectLimit,
            "stream-object-limit": streamObjectLimit, "expire": expire, "unlisted-lifetime": unlistedLifetime,
            "playlist-lifetime": playlistLifetime, "upload-resume-window": uploadResumeWindow, "hold-limit": holdLimit,
            "hold-missing": holdMissing,
        ])
    }
}

struct LimitOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Connections at once (default: as many as the process may open files, less 128).", valueName: "count"))
    var connectionLimit: String?

    @Option(
        help: ArgumentHelp(
            "Connections at once from one address, or one /64 of IPv6 (default: half of all).", valueName: "count"))
    var connectionsPerAddress: String?

    @Option(
        help: ArgumentHelp(
            "Requests in error a second from one address; more are answered with 429. 0: no limit (default: 100).",
            valueName: "count"))
    var errorRate: String?

    @Option(
        help: ArgumentHelp(
            "The fields of a request together (default: 32KiB).", valueName: "bytes"))
    var headerLimit: String?

    @Option(
        help: ArgumentHelp(
            "How long a request's head may take, or a TLS handshake (default: 10s).", valueName: "time"))
    var requestTimeout: String?

    @Option(
        help: ArgumentHelp(
            "How long a connection may rest between requests (default: 75s).", valueName: "time"))
    var idleTimeout: String?

    @Option(
        help: ArgumentHelp(
            "How long an upload may be silent (default: 30s).", valueName: "time"))
    var uploadTimeout: String?

    @Option(
        help: ArgumentHelp(
            "How long a reader that takes nothing is kept (default: 30s).", valueName: "time"))
    var stallLimit: String?

    @Option(
        help: ArgumentHelp(
            "How long growing responses and uploads may go on after SIGTERM (default: 10s).", valueName: "time"))
    var drainLimit: String?

    var flags: [String: [String]] {
        singles([
            "connection-limit": connectionLimit, "connections-per-address": connectionsPerAddress,
            "error-rate": errorRate, "header-limit": headerLimit, "request-timeout": requestTimeout,
            "idle-timeout": idleTimeout, "upload-timeout": uploadTimeout, "stall-limit": stallLimit,
            "drain-limit": drainLimit,
        ])
    }
}

/// What was given of flags that can be given once.
private func singles(_ values: [String: String?]) -> [String: [String]] {
    values.compactMapValues { $0.map { [$0] } }
}
