import Glibc
import Subprocess

/// headwater-origin alone, on free ports of this host.
struct Origin: Sendable {
    let port: Int
    /// `http://127.0.0.1:PORT` of the admin endpoint.
    let admin: String
    let log: ServiceLog
    let process: ProcessIdentifier

    /// `http://127.0.0.1:PORT`.
    var http: String { "http://127.0.0.1:\(port)" }

    /// Uploads an object or a playlist, whole; gives the answer's status line.
    @discardableResult
    func upload(_ path: String, _ body: [UInt8], _ fields: String...) async throws -> String {
        let upload = try await GrowingUpload(path, at: port, fields)
        await upload.send(body)
        return try await upload.finish()
    }

    func send(_ signal: Int32) { kill(process.value, signal) }
}

/// Runs the origin for as long as the body takes.
func withOrigin<Result: Sendable>(
    _ flags: [String] = [], end: ProgramEnd = .told, _ body: (Origin) async throws -> Result
) async throws -> Result {
    try await withService(
        "headwater-origin", ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"] + flags, end: end
    ) { log, process in
        let admin = "http://" + (try await log.value("admin.address", ofLine: "admin endpoint listening"))
        let address = try await log.value("address", ofLine: "info listening ")
        return try await body(
            Origin(port: Int(address.split(separator: ":").last ?? "") ?? 0, admin: admin, log: log, process: process))
    }
}
