import TestSupport
import Testing

@Suite struct PlaylistHistoryTests {
    private static func text(
        _ uris: [String], sequence: Int = 0, discontinuity: Int = 0, target: Int = 2, extinf: String = "2.000"
    ) -> String {
        var lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:\(target)", "#EXT-X-MEDIA-SEQUENCE:\(sequence)"]
        lines.append("#EXT-X-DISCONTINUITY-SEQUENCE:\(discontinuity)")
        for uri in uris {
            if uri.hasPrefix("!") { lines.append("#EXT-X-DISCONTINUITY") }
            lines += ["#EXTINF:\(extinf),", uri.hasPrefix("!") ? String(uri.dropFirst()) : uri]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    @Test func `a playlist that slides as it should is accepted`() throws {
        var history = PlaylistHistory()
        try history.record(Self.text(["a", "!b", "c", "d"]))
        try history.record(Self.text(["!b", "c", "d", "e"], sequence: 1))
        try history.record(Self.text(["c", "d", "e"], sequence: 2, discontinuity: 1))
        try history.record(Self.text(["c", "d", "e"], sequence: 2, discontinuity: 1) + "#EXT-X-ENDLIST\n")
        #expect(history.versions == 4)
    }

    @Test(arguments: [
        ("a name changed its number", text(["a", "b", "c"]), text(["b", "c", "d"])),
        ("a name came back", text(["a", "b", "c", "d"]), text(["b", "c", "d", "a"], sequence: 1)),
        ("the sequence fell", text(["b", "c", "d"], sequence: 1), text(["a", "b", "c", "d"])),
        ("segments vanished", text(["a", "b", "c", "d"]), text(["a", "b", "c"])),
        ("a discontinuity appeared", text(["a", "b", "c"]), text(["a", "!b", "c"])),
        ("a removed discontinuity went uncounted", text(["!a", "b", "c", "d"]), text(["b", "c", "d"], sequence: 1)),
        (
            "one was counted that was not there", text(["a", "b", "c", "d"]),
            text(["b", "c", "d"], sequence: 1, discontinuity: 1)
        ),
        ("the target duration fell", text(["a"]), text(["a"], target: 1, extinf: "1.0")),
        ("a segment outlasts the target duration", text(["a"]), text(["a", "b"], extinf: "2.500")),
        ("less than three target durations are left", text(["a", "b", "c"]), text(["b", "c"], sequence: 1)),
        ("a complete segment changed", text(["a", "b"]), text(["a", "b"], extinf: "1.9")),
        ("it went on after its end", text(["a"]) + "#EXT-X-ENDLIST\n", text(["a"])),
    ])
    func `a rule that is broken is noticed`(_ name: String, first: String, second: String) throws {
        var history = PlaylistHistory()
        try history.record(first)
        #expect(throws: PlaylistHistory.Violation.self, "\(name)") { try history.record(second) }
    }

    @Test func `a second raise of the target duration is noticed`() throws {
        var history = PlaylistHistory()
        try history.record(Self.text(["a"]))
        try history.record(Self.text(["a"], target: 3))
        #expect(throws: PlaylistHistory.Violation.self) { try history.record(Self.text(["a"], target: 4)) }
    }

    @Test func `what is announced may get its discontinuity when it starts`() throws {
        var history = PlaylistHistory(announced: 1)
        try history.record(Self.text(["a", "b"]))
        try history.record(Self.text(["a", "!b", "c"]))
        #expect(throws: PlaylistHistory.Violation.self) { try history.record(Self.text(["a", "b", "c", "d"])) }
    }
}
