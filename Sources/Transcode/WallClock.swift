import Glibc

/// The time of day as people read it.
package enum WallClock {
    /// Since 1970.
    package static var milliseconds: Int64 {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000
    }

    /// `HH:MM:SS.mmm` in the system's time zone, of milliseconds since 1970.
    package static func text(unixMilliseconds: Int64) -> String {
        let milliseconds = ((unixMilliseconds % 1_000) + 1_000) % 1_000
        var seconds = time_t((unixMilliseconds - milliseconds) / 1_000)
        var parts = unsafe tm()
        unsafe localtime_r(&seconds, &parts)
        let clock = unsafe [parts.tm_hour, parts.tm_min, parts.tm_sec].map { padded(Int($0), to: 2) }
        return clock.joined(separator: ":") + "." + padded(Int(milliseconds), to: 3)
    }

    private static func padded(_ number: Int, to count: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, count - digits.utf8.count)) + digits
    }
}
