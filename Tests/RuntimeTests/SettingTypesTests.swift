import Testing

import Runtime

@Suite struct SettingTypesTests {
    @Test(
        arguments: [
            ("1s", .seconds(1), "1s"), ("500ms", .milliseconds(500), "500ms"), ("2m", .seconds(120), "2m"),
            ("1.5s", .milliseconds(1_500), "1500ms"), ("3", .seconds(3), "3s"), ("0", .zero, "0s"),
            ("0.25", .milliseconds(250), "250ms"), ("90s", .seconds(90), "90s"), ("1h", .seconds(3_600), "1h"),
            ("7d", .seconds(604_800), "7d"), ("10us", .microseconds(10), "10us"), ("1ns", .nanoseconds(1), "1ns"),
            (" 5 s ", .seconds(5), "5s"), ("106751d", .seconds(106_751 * 86_400), "106751d"),
        ] as [(String, Duration, String)])
    func `a time is read and written`(text: String, value: Duration, written: String) {
        #expect(Duration(text: text) == value)
        #expect(value.text == written)
        #expect(Duration(text: written) == value)
    }

    @Test(arguments: [
        "", "s", "-1s", "+1s", "1 x", "1S", "1.s", ".5s", "1.2.3s", "1e3", "0.1ns", "106752d", "inf", "nan", "1s2",
        "١s",
        "9999999999999999999s", "999999999999999999d",
    ])
    func `what is no time is refused`(text: String) {
        #expect(Duration(text: text) == nil)
    }

    @Test(
        arguments: [
            ("64MiB", 64 << 20, "64MiB"), ("1GB", 1_000_000_000, "1GB"), ("1048576", 1 << 20, "1MiB"),
            ("1500", 1_500, "1500"), ("0", 0, "0"), ("1.5GiB", 3 << 29, "1536MiB"), ("10kb", 10_000, "10kB"),
            ("512 B", 512, "512"), ("2TiB", 2 << 40, "2TiB"),
        ] as [(String, Int, String)])
    func `a byte count is read and written`(text: String, bytes: Int, written: String) {
        #expect(ByteCount(text) == ByteCount(bytes))
        #expect(ByteCount(bytes).description == written)
        #expect(ByteCount(written) == ByteCount(bytes))
    }

    @Test(arguments: ["", "MiB", "-1", "1.5", "1.0001kB", "1 M", "1K", "9223372036854775808", "9999999TiB", "0x10"])
    func `what is no byte count is refused`(text: String) {
        #expect(ByteCount(text) == nil)
    }

    @Test(
        arguments: [
            ("0.0.0.0:1935", "0.0.0.0", 1_935), ("[::1]:9094", "::1", 9_094), ("localhost:0", "localhost", 0),
            ("[::]:65535", "::", 65_535), ("origin-1.example:80", "origin-1.example", 80),
        ] as [(String, String, Int)])
    func `an address is read and written`(text: String, host: String, port: Int) {
        #expect(HostAndPort(text) == HostAndPort(host: host, port: port))
        #expect(HostAndPort(host: host, port: port).description == text)
    }

    @Test(arguments: [
        "", "1935", ":1935", "host:", "host:65536", "host:-1", "host:+1", "::1:80", "[]:80", "[host]:80", "[::1]",
        "a b:80",
        "host:١", "http://host:80", "[127.0.0.1]:80",
    ])
    func `what is no address is refused`(text: String) {
        #expect(HostAndPort(text) == nil)
    }

    enum Conflict: String, CaseIterable { case takeover, refuse }

    func reader(_ value: String) throws -> ConfigurationReader {
        try ConfigurationSources(keys: ["key"], flags: ["key": [value]], environment: [:]).reader()
    }

    @Test func `bounds are part of what is accepted`() throws {
        #expect(try reader("9").integer("key", in: 1...9) == 9)
        #expect(try reader("1s").duration("key", in: .milliseconds(100)...(.seconds(1))) == .seconds(1))
        #expect(try reader("1KiB").byteCount("key", in: 0...1_024) == 1_024)
        #expect(throws: ConfigurationError.self) { try reader("10").integer("key", in: 1...9) }
        let time = #expect(throws: ConfigurationError.self) {
            try reader("2s").duration("key", in: .milliseconds(100)...(.seconds(1)))
        }
        #expect(time.map { "\($0)" }?.hasSuffix("from 100ms to 1s") == true)
        let bytes = #expect(throws: ConfigurationError.self) { try reader("1").byteCount("key", in: 1_024...Int.max) }
        #expect(bytes.map { "\($0)" }?.hasSuffix("from 1KiB") == true)
    }

    @Test func `truths and choices are read by their words`() throws {
        #expect(try reader("Yes").boolean("key") == true)
        #expect(try reader("off").boolean("key") == false)
        #expect(throws: ConfigurationError.self) { try reader("maybe").boolean("key") }
        #expect(try reader("refuse").choice("key", of: Conflict.self) == .refuse)
        let error = #expect(throws: ConfigurationError.self) { try reader("Refuse").choice("key", of: Conflict.self) }
        #expect(error.map { "\($0)" }?.hasSuffix("one of takeover, refuse") == true)
    }

    @Test(
        arguments: [
            ("windwo", "window"), ("rtmp_listen", "rtmp-listen"), ("lisen", "listen"), ("segment-length", nil),
            ("x", nil),
        ] as [(String, String?)])
    func `the nearest word is guessed only when near`(given: String, nearest: String?) {
        let words = ["window", "rtmp-listen", "listen", "segment-duration"]
        #expect(NearestWord.find(given, among: words) == nearest)
    }
}
