/// What a process's end says to whoever started it.
package enum ProcessStatus: Int32, Sendable {
    case success = 0
    case failure = 1
    /// `sysexits(3)` EX_USAGE: what it was told to do makes no sense.
    case usage = 64
}
