import Foundation
import Subprocess
import Testing

@Suite(.timeLimit(.minutes(1))) struct FileSizeLimitTests {
    /// Files in memory are under the limit too.
    @Test func `a limit on the size of files costs the origin nothing it serves`() async throws {
        let body = CachedSegmentTests.media(1 << 20)
        let file = FileManager.default.temporaryDirectory.appending(path: "headwater-\(UUID().uuidString).ts")
        try Data(body).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        try await withService(
            "headwater-origin", ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]
        ) { log, process in
            let http = "http://" + (try await log.value("address", ofLine: "info listening "))
            let limited = try await run(
                .name("prlimit"), arguments: ["--pid", "\(process.value)", "--fsize=65536"], output: .discarded)
            #expect(limited.terminationStatus == .exited(0))
            for number in 0..<3 {
                let answer = try await Curl.get("\(http)/live/show/\(number).ts", ["-T", file.path()])
                #expect(answer.status == 201)
            }
            for number in 0..<3 {
                let response = try await Curl.get("\(http)/live/show/\(number).ts")
                #expect(response.status == 200 && response.body == body)
            }
        }
    }
}
