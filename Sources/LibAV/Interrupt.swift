import CLibAV
import Glibc
import Synchronization

/// What ends waiting inside libavformat from another thread: a cancellation, for good, or a deadline, which moves.
@safe package final class Interrupt: Sendable {
    private let hasBeenCancelled = Atomic<Bool>(false)
    /// In nanoseconds of the monotonic clock.
    private let deadline = Atomic<Int64>(.max)
    /// A pair of sockets, readable once cancelled; −1 where the process has no descriptors left for it.
    private let readEnd: Int32
    private let writeEnd: Int32

    /// How often waiting looks up where no event can wake it, in milliseconds.
    private static let longestPoll: Int64 = 100

    package init() {
        var ends: [Int32] = [-1, -1]
        let type = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        let code = unsafe socketpair(AF_UNIX, Int32(type), 0, &ends)
        readEnd = code == 0 ? ends[0] : -1
        writeEnd = code == 0 ? ends[1] : -1
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    package var isCancelled: Bool { hasBeenCancelled.load(ordering: .acquiring) }

    package var isPastDeadline: Bool { Self.now >= deadline.load(ordering: .relaxed) }

    /// Ends all waiting from here on; any thread may call it.
    package func cancel() {
        hasBeenCancelled.store(true, ordering: .releasing)
        var byte: UInt8 = 1
        _ = unsafe write(writeEnd, &byte, 1)
    }

    /// Has waiting end after a time from now; nil takes the limit away.
    package func setDeadline(after limit: Duration?) {
        deadline.store(limit.map(Self.time) ?? .max, ordering: .relaxed)
    }

    /// Sleeps, to the millisecond above; false when it was cancelled.
    package func sleep(for duration: Duration) -> Bool {
        let end = Self.time(after: duration)
        while !isCancelled {
            let left = end - Self.now
            guard left > 0 else { return true }
            _ = wait(for: -1, milliseconds: left / 1_000_000 + 1)
        }
        return false
    }

    /// Waits until a descriptor has bytes or its end; false when cancelled or past the deadline.
    func waitUntilReadable(_ descriptor: Int32) -> Bool {
        while !isCancelled, !isPastDeadline {
            if wait(for: descriptor, milliseconds: Self.longestPoll) { return true }
        }
        return false
    }

    private func wait(for descriptor: Int32, milliseconds: Int64) -> Bool {
        // poll looks past descriptors below 0.
        var waits = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0),
        ]
        let limit = readEnd < 0 ? min(milliseconds, Self.longestPoll) : milliseconds
        let count = unsafe poll(&waits, nfds_t(waits.count), Int32(clamping: limit))
        return count > 0 && waits[0].revents != 0
    }

    private static var now: Int64 {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }

    /// The monotonic clock's reading in so long, for durations up to 100 years.
    private static func time(after duration: Duration) -> Int64 {
        let limited = min(max(duration, .zero), .seconds(3_155_760_000))
        let (seconds, attoseconds) = limited.components
        return now + seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}

extension Interrupt {
    /// What libavformat asks while it waits; the interrupt must outlive whoever asks.
    var callback: AVIOInterruptCB {
        unsafe AVIOInterruptCB(
            callback: { opaque in
                guard let opaque = unsafe opaque else { return 0 }
                let interrupt = unsafe Unmanaged<Interrupt>.fromOpaque(opaque).takeUnretainedValue()
                return interrupt.isCancelled || interrupt.isPastDeadline ? 1 : 0
            }, opaque: Unmanaged.passUnretained(self).toOpaque())
    }
}
