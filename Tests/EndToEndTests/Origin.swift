import Subprocess

/// headwater-origin alone, on free ports of this host.
struct Origin: Sendable {
    let port: Int
    let log: ServiceLog

    /// `http://127.0.0.1:PORT`.
    var http: String { "http://127.0.0.1:\(port)" }

    /// Uploads an object or a playlist, whole; gives the answer's status line.
    @discardableResult
    func upload(_ path: String, _ body: [UInt8]) async throws -> String {
        let upload = try await GrowingUpload(path, at: port)
        await upload.send(body)
        return try await upload.finish()
    }
}

/// Runs the origin for as long as the body takes.
func withOrigin<Result: Sendable>(
    _ flags: [String] = [], _ body: (Origin) async throws -> Result
) async throws -> Result {
    try await withService(
        "headwater-origin", ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"] + flags
    ) { log, _ in
        let address = try await log.value("address", ofLine: "info listening ")
        return try await body(Origin(port: Int(address.split(separator: ":").last ?? "") ?? 0, log: log))
    }
}
