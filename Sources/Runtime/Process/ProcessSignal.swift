import UnixSignals

/// What the system tells a running process, by a signal.
package enum ProcessSignal: Sendable, Equatable {
    /// SIGTERM or SIGINT, whichever the name says.
    case stop(name: String)
    /// SIGHUP: its files are to be read again.
    case reload

    init(_ signal: UnixSignal) {
        self = signal == .sighup ? .reload : .stop(name: "\(signal)")
    }

    static let trapped: [UnixSignal] = [.sigterm, .sigint, .sighup]
}
