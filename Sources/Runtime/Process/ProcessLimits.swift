import Glibc

/// What the system lets the process do.
package enum ProcessLimits {
    /// Raises the number of files and sockets that may be open to the hard limit, and gives what it then is.
    @discardableResult
    package static func raiseOpenFiles() -> UInt64 {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        let before = limit.rlim_cur
        limit.rlim_cur = limit.rlim_max
        guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return UInt64(before) }
        return UInt64(limit.rlim_cur)
    }

    /// Lets a write to a closed pipe or socket fail rather than end the process.
    package static func ignoreBrokenPipes() {
        _ = signal(SIGPIPE, SIG_IGN)
    }
}
