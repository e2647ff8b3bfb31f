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
