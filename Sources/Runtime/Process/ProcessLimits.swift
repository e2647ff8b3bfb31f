import Glibc

/// What the system lets the process do.
package enum ProcessLimits {
    /// How many files and sockets may be open at once (`getrlimit(2)` RLIMIT_NOFILE, the soft limit), at least 0.
    package static var openFiles: Int { Int(clamping: openFilesLimit?.rlim_cur ?? 0) }

    /// Raises the number of files and sockets that may be open to the hard limit, and gives what it then is.
    @discardableResult
    package static func raiseOpenFiles() -> Int {
        if var limit = openFilesLimit {
            limit.rlim_cur = limit.rlim_max
            // Where it is refused, the limit stays as it was.
            _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        return openFiles
    }

    /// Makes the system's table of this process's open files as large as it will get, up to 65,536 of them.
    ///
    /// It doubles as connections come, and a process with threads then waits for all processors: for ten milliseconds and
    /// more, in which nobody gets any media.
    package static func growFileTable() {
        let file = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        let last = fcntl(file, F_DUPFD_CLOEXEC, CInt(clamping: min(openFiles, 1 << 16) - 1))
        if last >= 0 { close(last) }
        close(file)
    }

    private static var openFilesLimit: rlimit? {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        return limit
    }

    /// Lets a write to a closed pipe or socket, or beyond the process's limit on the size of files (`getrlimit(2)`
    /// RLIMIT_FSIZE, which files in memory are under too), fail rather than end the process.
    package static func letWritesFail() {
        _ = signal(SIGPIPE, SIG_IGN)
        _ = signal(SIGXFSZ, SIG_IGN)
    }

    /// Lets a SIGHUP that comes before anybody waits for it pass, rather than end the process: what starts has read
    /// its files just now.
    package static func ignoreHangUps() {
        var action = sigaction()
        guard unsafe sigaction(SIGHUP, nil, &action) == 0, unsafe action.__sigaction_handler.sa_handler == nil else {
            return
        }
        _ = signal(SIGHUP, SIG_IGN)
    }
}
