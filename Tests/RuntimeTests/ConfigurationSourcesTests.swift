import Foundation
import Testing

import Runtime

@Suite struct ConfigurationSourcesTests {
    static let keys: [ConfigurationKey] = [
        "rtmp-listen", "window", "overlay",
        ConfigurationKey("origin", isRepeatable: true),
        ConfigurationKey("rendition", isRepeatable: true, environmentSeparator: ";"),
        ConfigurationKey("publish-token", isSecret: true),
    ]

    func reader(
        flags: [String: [String]] = [:], environment: [String: String] = [:], file: String? = nil
    ) throws -> ConfigurationReader {
        guard let file else {
            return try ConfigurationSources(keys: Self.keys, flags: flags, environment: environment).reader()
        }
        return try withFile(file) { path in
            var flags = flags
            flags["config"] = [path]
            return try ConfigurationSources(keys: Self.keys, flags: flags, environment: environment).reader()
        }
    }

    func withFile<Result>(_ text: String, _ body: (String) throws -> Result) throws -> Result {
        let url = FileManager.default.temporaryDirectory.appending(path: "headwater-\(UUID().uuidString).yaml")
        try Data(text.utf8).write(to: url)
        defer { try? FileManager.default.removeItem(at: url) }
        return try body(url.path())
    }

    @Test func `a flag goes before the environment and that before the file`() throws {
        let flags = ["window": ["1"]]
        let environment = ["HEADWATER_WINDOW": "2", "HEADWATER_RTMP_LISTEN": "127.0.0.1:2"]
        let file = "window: 3\nrtmp-listen: 127.0.0.1:3\noverlay: clock\n"
        let reader = try reader(flags: flags, environment: environment, file: file)
        #expect(try reader.integer("window", in: 0...9) == 1)
        #expect(try reader.hostAndPort("rtmp-listen") == HostAndPort(host: "127.0.0.1", port: 2))
        #expect(reader.text("overlay") == "clock")
        #expect(reader.texts("origin") == nil)
    }

    @Test func `a list replaces the list of a lower source whole`() throws {
        let reader = try reader(environment: ["HEADWATER_ORIGIN": "http://a, http://b"], file: "origin: [http://c]")
        #expect(reader.texts("origin") == ["http://a", "http://b"])
    }

    @Test func `elements with commas are separated by their own separator`() throws {
        let reader = try reader(environment: ["HEADWATER_RENDITION": "name=a,fps=30; source"])
        #expect(reader.texts("rendition") == ["name=a,fps=30", "source"])
    }

    @Test func `a repeatable setting takes one value or a list from the file`() throws {
        #expect(try reader(file: "origin: http://a").texts("origin") == ["http://a"])
        #expect(try reader(file: "origin:\n  - http://a\n  - http://b").texts("origin") == ["http://a", "http://b"])
        #expect(try reader(file: "origin: []").texts("origin") == [])
    }

    @Test func `nothing is set by an empty variable, an empty file and a key without a value`() throws {
        #expect(try reader(environment: ["HEADWATER_WINDOW": ""]).text("window") == nil)
        #expect(try reader(file: "# a comment\n").text("window") == nil)
        #expect(try reader(file: "window:\noverlay: ~\n").text("window") == nil)
        #expect(try reader(file: "overlay: \"\"").text("overlay") == "")
    }

    @Test func `the file may be named by the environment`() throws {
        try withFile("window: 4") { path in
            let sources = ConfigurationSources(keys: Self.keys, flags: [:], environment: ["HEADWATER_CONFIG": path])
            let reader = try sources.reader()
            #expect(reader.text("window") == "4")
        }
    }

    @Test func `a key of no setting is refused with the nearest one, the file and the line`() throws {
        try withFile("window: 4\nrtmp-listne: 0.0.0.0:1\n") { path in
            let sources = ConfigurationSources(keys: Self.keys, flags: ["config": [path]], environment: [:])
            let expected = ConfigurationError.unknownKey("rtmp-listne", nearest: "rtmp-listen", path: path, line: 2)
            #expect(throws: expected) { try sources.reader() }
            #expect("\(expected)" == "\(path):2: there is no setting “rtmp-listne”; did you mean “rtmp-listen”?")
        }
    }

    @Test func `the file cannot name another file`() {
        #expect(throws: ConfigurationError.unknownKey("config", nearest: nil, path: "f", line: 1)) {
            try ConfigurationFile(text: "config: other.yaml", path: "f", keys: Self.keys)
        }
    }

    @Test func `a file that cannot be read says why`() {
        let sources = ConfigurationSources(keys: [], flags: ["config": ["/nowhere/a.yaml"]], environment: [:])
        #expect(throws: ConfigurationError.unreadableFile(path: "/nowhere/a.yaml", reason: "there is no such file")) {
            try sources.reader()
        }
    }

    @Test(
        arguments: [
            ("window: [1", nil),
            ("window: 1\n  overlay: x\n", 2),
            ("- window\n", 1),
            ("just text", 1),
            ("window:\n  a: 1\n", 1),
            ("overlay: x\nwindow: [1, 2]\n", 2),
            ("origin:\n  - a: 1\n", 1),
            ("origin: [a, ~]\n", 1),
            ("window: 1\nwindow: 2\n", nil),
            ("[1, 2]: x\n", 1),
            ("window: \"\u{1}\"\n", nil),
        ] as [(String, Int?)])
    func `a file of another form is refused`(text: String, line: Int?) throws {
        let error = #expect(throws: ConfigurationError.self) {
            try ConfigurationFile(text: text, path: "f", keys: Self.keys)
        }
        switch error {
        case .invalidFile("f", let found, _): #expect(line == nil || found == line)
        case .unknownKey("", _, "f", let found): #expect(found == line)
        default: Issue.record("\(String(describing: error))")
        }
    }

    @Test func `a wrong value is named with where it came from and what is accepted`() throws {
        let reader = try reader(flags: ["window": ["many"]], environment: ["HEADWATER_RTMP_LISTEN": "1935"])
        let error = #expect(throws: ConfigurationError.self) { try reader.integer("window", in: 1...100) }
        #expect(
            error.map { "\($0)" }
                == "window: “many”, given by --window, is not accepted; it takes a whole number, 1 to 100")
        let other = #expect(throws: ConfigurationError.self) { try reader.hostAndPort("rtmp-listen") }
        #expect(other.map { "\($0)" }?.contains("given by HEADWATER_RTMP_LISTEN") == true)
    }

    @Test func `a wrong value in the file is named with its line`() throws {
        try withFile("# first\nwindow: -1\n") { path in
            let sources = ConfigurationSources(keys: Self.keys, flags: ["config": [path]], environment: [:])
            let reader = try sources.reader()
            let expected = ConfigurationError.invalidValue(
                key: "window", value: "-1", origin: "\(path):2", accepted: "a whole number, from 0")
            #expect(throws: expected) { try reader.integer("window", in: 0...Int.max) }
        }
    }

    @Test func `a secret is not shown`() throws {
        let reader = try reader(flags: ["publish-token": ["hunter2"]])
        let error = #expect(throws: ConfigurationError.self) { try reader.boolean("publish-token") }
        #expect(error.map { "\($0)" }?.contains("hunter2") == false)
        #expect(!"\(reader.refusal(of: "publish-token", accepted: "another"))".contains("hunter2"))
    }

    @Test func `variables that look like settings and are none are told`() {
        let environment = ["HEADWATER_WINDOW": "1", "HEADWATER_WINDOWS": "1", "HEADWATER_CONFIG": "", "PATH": ""]
        let sources = ConfigurationSources(keys: Self.keys, flags: [:], environment: environment)
        #expect(sources.unknownEnvironmentVariables == ["HEADWATER_WINDOWS"])
    }
}
