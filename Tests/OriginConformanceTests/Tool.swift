import Foundation
import NIOCore

/// A command of the host, for what is to be checked by others' code.
enum Tool {
    struct Failure: Error {
        let status: Int32
        let messages: String
    }

    /// Runs it with this input, which must be short, to its end; gives its output.
    static func run(_ command: String, _ arguments: [String], input: ByteBuffer = ByteBuffer()) async throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["timeout", "60", command] + arguments
        let (standardInput, output, messages) = (Pipe(), Pipe(), Pipe())
        process.standardInput = standardInput
        process.standardOutput = output
        process.standardError = messages
        try process.run()
        try standardInput.fileHandleForWriting.write(contentsOf: Data(input.readableBytesView))
        try standardInput.fileHandleForWriting.close()
        let result = try output.fileHandleForReading.readToEnd() ?? Data()
        let text = try messages.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(status: process.terminationStatus, messages: String(decoding: text, as: UTF8.self))
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// A folder for one test's files, removed at its end.
func withTemporaryFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "headwater-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder.path)
}
