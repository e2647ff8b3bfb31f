import Glibc

/// The clock by which waiting is measured.
enum MonotonicClock {
    /// Since some moment before the process began.
    static var nanoseconds: Int64 {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }
}

/// The clock people read.
enum WallClock {
    /// Since 1970.
    static var milliseconds: Int64 {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000
    }

    /// The local time of day, such as `14:54:23.031`.
    static var timeOfDay: String {
        let milliseconds = milliseconds
        var seconds = time_t(milliseconds / 1_000)
        var local = unsafe tm()
        unsafe localtime_r(&seconds, &local)
        let (hour, minute, second) = unsafe (Int(local.tm_hour), Int(local.tm_min), Int(local.tm_sec))
        func padded(_ number: Int, _ digits: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
        }
        return "\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2)).\(padded(Int(milliseconds % 1_000), 3))"
    }
}
