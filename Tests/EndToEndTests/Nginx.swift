import FoundationEssentials
import Subprocess
import Testing

/// nginx with the recipe of `deploy/nginx`, on a free port of this host.
struct Nginx: Sendable {
    let port: Int

    /// `http://127.0.0.1:PORT`.
    var http: String { "http://127.0.0.1:\(port)" }
}

/// Runs nginx in front of a port of this host for as long as the body takes. Its recipe must load without a warning.
func withNginx<Result: Sendable>(
    inFrontOf origin: Int, _ body: (Nginx) async throws -> Result
) async throws -> Result {
    try await withTemporaryFolder { folder in
        let port = try await FreePort.tcp()
        try Recipe.copy(
            "nginx/headwater.conf", to: "\(folder)/headwater.conf",
            replacing: [
                ("server 127.0.0.1:9094;", "server 127.0.0.1:\(origin);"),
                ("listen 8080;", "listen 127.0.0.1:\(port);"),
                ("proxy_cache_path /var/cache/nginx/headwater", "proxy_cache_path \(folder)/cache"),
            ])
        let folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(folder)/\($0);" }
        let main = """
            daemon off;
            master_process off;
            pid \(folder)/pid;
            error_log stderr notice;
            events {}
            http {
                access_log off;
                \(folders.joined(separator: "\n    "))
                include \(folder)/headwater.conf;
            }
            """
        try Data(main.utf8).write(to: URL(filePath: "\(folder)/nginx.conf"))
        let flags = ["-e", "stderr", "-p", folder, "-c", "\(folder)/nginx.conf"]
        let check = try await run(
            Recipe.program("nginx"), arguments: Arguments(flags + ["-t", "-q"]), output: .discarded,
            error: .string(limit: 1 << 16))
        #expect(check.terminationStatus == .exited(0))
        #expect(check.standardError == "")
        return try await withProgram(Recipe.program("nginx"), flags) { log, _ in
            _ = try await log.line(with: "getrlimit(RLIMIT_NOFILE)")
            return try await body(Nginx(port: port))
        }
    }
}
