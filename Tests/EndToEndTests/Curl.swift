import Subprocess
import Testing

/// Requests by the curl command.
enum Curl {
    struct Response: Sendable {
        var status = 0
        /// Names in lower case.
        var headers: [String: String] = [:]
        var body: [UInt8] = []
        /// curl's exit code; 18 is a response that ended too early.
        var exitCode: Int32 = 0

        var text: String { String(decoding: body, as: UTF8.self) }
    }

    static func get(_ url: String, _ options: [String] = []) async throws -> Response {
        let result = try await run(
            .name("curl"), arguments: Arguments(["-sS", "-i", "--path-as-is", "--max-time", "120"] + options + [url]),
            output: .bytes(limit: 1 << 28), error: .discarded)
        var response = parse(result.standardOutput)
        if case .exited(let code) = result.terminationStatus { response.exitCode = Int32(code) }
        return response
    }

    private static func parse(_ bytes: [UInt8]) -> Response {
        var response = Response()
        var rest = bytes[...]
        repeat {
            guard let end = rest.firstRange(of: Array("\r\n\r\n".utf8)) else { break }
            let lines = String(decoding: rest[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
            response.status = lines.first.flatMap { Int($0.split(separator: " ").dropFirst().first ?? "") } ?? 0
            response.headers = [:]
            for line in lines.dropFirst() {
                let parts = line.split(separator: ":", maxSplits: 1)
                guard parts.count == 2 else { continue }
                response.headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
            }
            rest = rest[end.upperBound...]
        } while response.status == 100
        response.body = Array(rest)
        return response
    }
}
