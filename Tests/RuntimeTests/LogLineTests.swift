import Foundation
import Logging
import Synchronization
import Testing

import Runtime

@Suite struct LogLineTests {
    func line(_ message: String, _ fields: Logger.Metadata = [:]) -> LogLine {
        LogLine(
            time: Date(timeIntervalSince1970: 1_767_225_600.25), level: .info, label: "ingest", message: message,
            fields: fields)
    }

    @Test func `a text line has the time, the level, the message and the fields by name`() {
        let line = line("broadcast started", ["stream": "live/a", "rtmp.app": "live", "n": .stringConvertible(3)])
        #expect(
            line.rendered(as: .text)
                == "2026-01-01T00:00:00.250Z info broadcast started n=3 rtmp.app=live stream=live/a")
    }

    @Test(arguments: [
        ("plain/1.2:3", "plain/1.2:3"), ("", #""""#), ("a b", #""a b""#), ("a=b", #""a=b""#), ("a\"b", #""a\"b""#),
        (#"a\b"#, #""a\\b""#), ("a\nb\r\tc", #""a\nb\r\tc""#), ("\u{1B}[31m", #""\u001b[31m""#),
        ("\u{7F}", #""\u007f""#), ("\u{85}", #""\u0085""#), ("\u{2028}", #""\u2028""#), ("\u{202E}x", #""\u202ex""#),
        ("\u{E0001}", #""\udb40\udc01""#), ("Zürich", "Zürich"),
    ])
    func `a value cannot leave its place`(value: String, written: String) {
        #expect(line("m", ["k": .string(value)]).rendered(as: .text).hasSuffix(" info m k=\(written)"))
    }

    @Test func `messages and names are escaped too`() {
        let text = line("one\ntwo", ["a\nb": "c"]).rendered(as: .text)
        #expect(text.hasSuffix(#" info one\ntwo a\nb=c"#))
    }

    @Test func `a JSON line is one object that a parser reads back`() throws {
        let fields: Logger.Metadata = [
            "stream": "live/\"a\"\n", "time": "mine", "list": ["x", "\u{0}"], "map": ["k": .stringConvertible(1)],
        ]
        let text = line("broadcast\nstarted", fields).rendered(as: .json)
        #expect(!text.contains("\n"))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(object["time"] as? String == "2026-01-01T00:00:00.250Z")
        #expect(object["level"] as? String == "info")
        #expect(object["logger"] as? String == "ingest")
        #expect(object["message"] as? String == "broadcast\nstarted")
        #expect(object["stream"] as? String == "live/\"a\"\n")
        #expect(object["_time"] as? String == "mine")
        #expect(object["list"] as? [String] == ["x", "\u{0}"])
        #expect(object["map"] as? [String: String] == ["k": "1"])
    }

    @Test func `a long value is cut`() {
        let text = line("m", ["k": .string(String(repeating: "x", count: 1_000_000))]).rendered(as: .text)
        #expect(text.count < 1_100)
        #expect(text.hasSuffix("x…"))
    }

    @Test func `fields of the call go before the logger's and those before the provider's`() {
        let lines = Mutex<[String]>([])
        var handler = LineLogHandler(label: "l", format: .text, logLevel: .info) { line in
            lines.withLock { $0.append(line) }
        }
        handler.metadataProvider = Logger.MetadataProvider { ["a": "provider", "b": "provider", "c": "provider"] }
        var logger = Logger(label: "l", factory: { _ in handler })
        logger[metadataKey: "a"] = "logger"
        logger[metadataKey: "b"] = "logger"
        logger.info("m", metadata: ["a": "call"])
        logger.debug("unseen")
        let written = lines.withLock { $0 }
        #expect(written.count == 1)
        #expect(written.first?.hasSuffix(" info m a=call b=logger c=provider\n") == true)
    }
}
