/// The versions a reader has seen of one live media playlist, held against the rules between them.
///
/// It works on the texts alone and shares no code with what wrote them. Versions may have been missed in between, which
/// weakens what can be said of segments never seen, and nothing else.
package struct PlaylistHistory {
    package struct Violation: Error, CustomStringConvertible {
        package var rule: String
        package var version: Int
        package var text: String

        package var description: String { "version \(version): \(rule)\n\(text)" }
    }

    /// Entries at the end of a version without ENDLIST that have not started yet.
    package let announced: Int
    package private(set) var versions = 0
    /// Times the target duration was raised.
    package private(set) var raises = 0
    package private(set) var first: Version?
    package private(set) var last: Version?

    private var numbers: [String: Int] = [:]
    private var names: [Int: String] = [:]
    private var started: [Int: Entry] = [:]
    private var completeDurations: [Int: String] = [:]

    package struct Entry: Equatable {
        package var number: Int
        package var uri: String
        package var duration: String
        package var isDiscontinuous: Bool
        /// The discontinuity sequence number.
        package var discontinuity: Int
        package var programDateTime: String?

        /// Rounded to seconds, halves up.
        package var roundedSeconds: Int {
            let parts = duration.split(separator: ".")
            return (Int(parts[0]) ?? .max / 2) + (parts.count > 1 && parts[1] >= "5" ? 1 : 0)
        }
        package var seconds: Double { Double(duration) ?? .nan }
    }

    package struct Version {
        package var targetDuration: Int
        package var mediaSequence: Int
        package var discontinuitySequence: Int
        package var entries: [Entry]
        package var hasEnded: Bool
    }

    package init(announced: Int = 0) { self.announced = announced }

    /// Takes the next version; throws a `Violation` when it breaks a rule by itself or against the earlier ones.
    package mutating func record(_ text: String) throws {
        versions += 1
        let number = versions
        func require(_ condition: Bool, _ rule: @autoclosure () -> String) throws {
            guard condition else { throw Violation(rule: rule(), version: number, text: text) }
        }
        let version = try Self.parse(text, require)
        let startedCount = version.hasEnded ? version.entries.count : max(0, version.entries.count - announced)

        for entry in version.entries {
            try require(entry.roundedSeconds <= version.targetDuration, "\(entry.uri) outlasts the target duration")
            try require(entry.seconds > 0, "\(entry.uri) has no duration")
            try require(numbers[entry.uri, default: entry.number] == entry.number, "\(entry.uri) changed its number")
            try require(names[entry.number, default: entry.uri] == entry.uri, "number \(entry.number) changed its name")
            numbers[entry.uri] = entry.number
            names[entry.number] = entry.uri
        }
        let dated = version.entries.count { $0.programDateTime != nil }
        try require(dated == 0 || dated == version.entries.count, "some entries have a date and some have none")
        for (index, entry) in version.entries.prefix(startedCount).enumerated() {
            if let before = started[entry.number] {
                try require(
                    before.discontinuity == entry.discontinuity, "\(entry.uri) changed its discontinuity number")
                try require(before.isDiscontinuous == entry.isDiscontinuous, "\(entry.uri) changed its discontinuity")
                try require(before.programDateTime == entry.programDateTime, "\(entry.uri) changed its date")
            }
            started[entry.number] = entry
            guard index < startedCount - 1 || version.hasEnded else { continue }  // the last one may still grow
            let before = completeDurations.updateValue(entry.duration, forKey: entry.number)
            try require(
                before ?? entry.duration == entry.duration, "\(entry.uri) was complete and changed its duration")
        }
        if let last {
            try compare(version, with: last, startedCount: startedCount, require)
            raises += version.targetDuration > last.targetDuration ? 1 : 0
            try require(raises <= 1, "the target duration was raised again")
        }
        first = first ?? version
        last = version
    }

    private func compare(
        _ version: Version, with last: Version, startedCount: Int,
        _ require: (Bool, @autoclosure () -> String) throws -> Void
    ) throws {
        try require(!last.hasEnded || version.hasEnded, "the playlist had ended")
        try require(!last.hasEnded || version.entries == last.entries, "the playlist had ended and changed")
        try require(version.targetDuration >= last.targetDuration, "the target duration fell")
        try require(version.mediaSequence >= last.mediaSequence, "the media sequence number fell")
        try require(
            version.discontinuitySequence >= last.discontinuitySequence, "the discontinuity sequence number fell")
        let end = version.mediaSequence + version.entries.count
        let lastEnd = last.mediaSequence + last.entries.count
        try require(version.hasEnded || end >= lastEnd, "segments were taken off the end")
        guard version.mediaSequence > last.mediaSequence else {
            try require(
                version.discontinuitySequence == last.discontinuitySequence,
                "the discontinuity sequence number moved without a segment")
            return
        }
        let removed = (last.mediaSequence..<version.mediaSequence).map { started[$0] }
        if removed.allSatisfy({ $0 != nil }) {
            let tags = removed.count { $0?.isDiscontinuous == true }
            try require(
                version.discontinuitySequence == last.discontinuitySequence + tags,
                "\(tags) discontinuities were removed and the sequence number does not say so")
        }
        let seconds = version.entries.prefix(startedCount).reduce(0) { $0 + $1.seconds }
        try require(
            version.hasEnded || seconds + 0.001 >= Double(3 * version.targetDuration),
            "less than three target durations are left after a removal")
    }

    private static func parse(
        _ text: String, _ require: (Bool, @autoclosure () -> String) throws -> Void
    ) throws -> Version {
        var version = Version(
            targetDuration: 0, mediaSequence: 0, discontinuitySequence: 0, entries: [], hasEnded: false)
        var duration: String?
        var isDiscontinuous = false
        var programDateTime: String?
        var discontinuity = 0
        let lines = text.split(separator: "\n")
        try require(lines.first == "#EXTM3U", "the first line")
        func number(_ value: Substring) throws -> Int {
            guard let number = Int(value), number >= 0 else {
                try require(false, "\(value) is no number")
                return 0
            }
            return number
        }
        for line in lines.dropFirst() {
            guard line.utf8.first == UInt8(ascii: "#") else {
                try require(duration != nil, "\(line) has no EXTINF")
                version.entries.append(
                    Entry(
                        number: version.mediaSequence + version.entries.count, uri: String(line),
                        duration: duration ?? "", isDiscontinuous: isDiscontinuous, discontinuity: discontinuity,
                        programDateTime: programDateTime))
                (duration, isDiscontinuous, programDateTime) = (nil, false, nil)
                continue
            }
            let parts = line.split(separator: ":", maxSplits: 1)
            let value = parts.count > 1 ? parts[1] : ""
            switch parts[0] {
            case "#EXT-X-TARGETDURATION": version.targetDuration = try number(value)
            case "#EXT-X-MEDIA-SEQUENCE": version.mediaSequence = try number(value)
            case "#EXT-X-DISCONTINUITY-SEQUENCE":
                version.discontinuitySequence = try number(value)
                discontinuity = version.discontinuitySequence
            case "#EXTINF": duration = value.split(separator: ",").first.map(String.init)
            case "#EXT-X-PROGRAM-DATE-TIME":
                try require(value.utf8.count == 24 && value.hasSuffix("Z"), "the date is not UTC to the millisecond")
                programDateTime = String(value)
            case "#EXT-X-DISCONTINUITY":
                isDiscontinuous = true
                discontinuity += 1
            case "#EXT-X-ENDLIST": version.hasEnded = true
            default: break
            }
        }
        try require(version.targetDuration > 0, "no target duration")
        return version
    }
}
