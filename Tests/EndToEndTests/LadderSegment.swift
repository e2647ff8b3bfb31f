/// A segment of one rendition, with what the playlists said of it last.
struct LadderSegment {
    var number: Int
    /// As written in EXTINF.
    var duration: String
    var isDiscontinuous: Bool
    var stream: TransportStream

    var seconds: Double { Double(duration) ?? .nan }

    /// The first picture's presentation time in 90 kHz ticks, or the first sound's where there is no picture.
    var firstTime: Int64? {
        let units = stream.units
        return (units.first(where: \.isVideo) ?? units.first)?.presentationTime
    }

    var keyframeTimes: [Int64] {
        stream.units.filter { $0.isVideo && $0.isRandomAccess }.map(\.presentationTime)
    }
}

extension Follower {
    /// What was read, with its numbers and durations.
    var ladderSegments: [LadderSegment] {
        var entries: [String: (number: Int, duration: String, isDiscontinuous: Bool)] = [:]
        for version in versions {
            var number = 0
            var duration = ""
            var isDiscontinuous = false
            for line in version.split(separator: "\n") {
                if let value = Self.value(of: "#EXT-X-MEDIA-SEQUENCE:", in: line) {
                    number = Int(value) ?? 0
                } else if let value = Self.value(of: "#EXTINF:", in: line) {
                    duration = String(value.prefix { $0 != "," })
                } else if line == "#EXT-X-DISCONTINUITY" {
                    isDiscontinuous = true
                } else if !line.hasPrefix("#") {
                    entries[String(line)] = (number, duration, isDiscontinuous)
                    number += 1
                    isDiscontinuous = false
                }
            }
        }
        return segments.compactMap { segment in
            entries[segment.uri].map { entry in
                LadderSegment(
                    number: entry.number, duration: entry.duration, isDiscontinuous: entry.isDiscontinuous,
                    stream: TransportStream(segment.bytes))
            }
        }
    }

    private static func value(of tag: String, in line: Substring) -> Substring? {
        line.hasPrefix(tag) ? line.dropFirst(tag.count) : nil
    }
}
