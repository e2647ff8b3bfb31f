import FoundationEssentials
import Subprocess
import Testing

/// varnishd with the recipe of `deploy/varnish`, on a free port of this host.
struct Varnish: Sendable {
    let port: Int
    /// Its working directory, by which its tools find it.
    let folder: String

    /// `http://127.0.0.1:PORT`.
    var http: String { "http://127.0.0.1:\(port)" }

    /// One of its counters, such as `MAIN.cache_hit`.
    func counter(_ name: String) async throws -> Int {
        let text = try await Self.output(of: "varnishstat", ["-n", folder, "-1", "-f", name])
        return Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0
    }

    fileprivate static func output(of tool: String, _ arguments: [String]) async throws -> String {
        try await run(
            .name(tool), arguments: Arguments(arguments), output: .string(limit: 1 << 16), error: .discarded
        ).standardOutput
    }
}

/// Runs varnishd in front of a port of this host for as long as the body takes.
func withVarnish<Result: Sendable>(
    inFrontOf port: Int, _ body: (Varnish) async throws -> Result
) async throws -> Result {
    try await withTemporaryFolder { folder in
        try Recipe.copy("varnish/headwater.vcl", to: "\(folder)/headwater.vcl")
        try Recipe.copy("varnish/backend.vcl", to: "\(folder)/backend.vcl", replacing: [("\"9094\"", "\"\(port)\"")])
        let work = "\(folder)/varnish"
        return try await withProgram(
            Recipe.program("varnishd"),
            [
                "-F", "-j", "none", "-n", work, "-f", "\(folder)/headwater.vcl", "-a", "127.0.0.1:0",
                "-s", "malloc,64m", "-p", "thread_pool_min=150",
            ]
        ) { log, _ in
            _ = try await log.line(with: "said Child starts")
            // `a0 127.0.0.1 PORT`
            let address = try await Varnish.output(of: "varnishadm", ["-n", work, "-t", "20", "debug.listen_address"])
            let listening = try #require(address.split(whereSeparator: \.isWhitespace).dropFirst(2).first)
            return try await body(Varnish(port: try #require(Int(listening)), folder: work))
        }
    }
}
