package import LibAV
package import RTMP

/// When an input is opened again.
///
/// | how a publish ended | what follows |
/// |---|---|
/// | the ingest stops | nothing |
/// | the end of a file or of a descriptor, or damage in a file | nothing: it has been played |
/// | a descriptor that failed | nothing: it cannot be opened again |
/// | a listener's peer left | the next peer is waited for at once |
/// | a listener's peer sent no media | the same, in 0.1 s |
/// | another publisher took over | the longest wait |
/// | all else | a wait that doubles with each failure |
package struct InputLife: Sendable {
    package enum End: Equatable, Sendable {
        /// There is no more of it.
        case ended
        case failed(InputFailure)
        case closed(RefusalReason)
        case cancelled
    }

    package enum Next: Equatable, Sendable {
        case over
        case reopen(after: Duration)
    }

    /// A stranger who knocks again and again keeps nobody out for longer.
    private static let peerWait = Duration.milliseconds(100)

    private let kind: InputAddress.Kind
    private var backoff = Backoff()

    package init(_ kind: InputAddress.Kind) { self.kind = kind }

    /// - Parameters:
    ///   - duration: for how long it was published, zero when it was not.
    ///   - isPlainFile: whether it turned out to be one that has an end.
    package mutating func next(after end: End, published duration: Duration, isPlainFile: Bool) -> Next {
        switch end {
        case .cancelled, .closed(.draining):
            return .over
        case .ended where isPlainFile, .failed(.read) where isPlainFile:
            return .over
        case .closed(.takenOver) where !isPlainFile:
            return .reopen(after: Backoff.longest)
        case .closed where isPlainFile:
            return .over
        case .ended, .failed, .closed:
            if case .descriptor = kind { return .over }
            if kind == .listener, end == .failed(.peer) { return .reopen(after: Self.peerWait) }
            // A FIFO's writer is a peer as well.
            let waitsForPeers = kind == .listener || kind == .file && !isPlainFile
            if waitsForPeers, duration > .zero, end == .ended || end == .failed(.read) { return .reopen(after: .zero) }
            return .reopen(after: backoff.wait(afterRunning: duration))
        }
    }
}
