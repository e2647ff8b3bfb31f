/// An object on its way to the origin: a PUT whose body comes piece by piece.
struct GrowingUpload: Sendable {
    private let connection: RawConnection
    private let path: String
    private let port: Int

    init(_ path: String, at port: Int, _ fields: [String] = []) async throws {
        connection = try await RawConnection(port: port)
        self.path = path
        self.port = port
        let lines = ["PUT \(path) HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "Connection: close"] + fields
        await connection.send(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8))
    }

    func send(_ bytes: [UInt8]) async {
        await connection.send(Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + Array("\r\n".utf8))
    }

    /// Waits until the origin serves what has come.
    func untilServed() async throws {
        try await poll(for: path) { [path, port] in
            try await Curl.get("http://127.0.0.1:\(port)\(path)", ["-I"]).status == 200 ? () : nil
        }
    }

    /// Sends the rest, in equal pieces at equal times.
    func send(_ bytes: [UInt8], pieces: Int, over duration: Duration) async throws {
        let start = ContinuousClock.now
        for piece in 0..<pieces {
            try await Task.sleep(until: start + duration * piece / pieces)
            await send(Array(bytes[(bytes.count * piece / pieces)..<(bytes.count * (piece + 1) / pieces)]))
        }
    }

    /// Sends the end; gives the answer's status line.
    @discardableResult
    func finish() async throws -> String {
        await connection.send(Array("0\r\n\r\n".utf8))
        let answer = String(decoding: try await connection.untilClosed(), as: UTF8.self)
        return String(answer.prefix { $0 != "\r\n" })
    }

    /// Closes in the middle of the body.
    func breakOff() async { await connection.close() }
}
