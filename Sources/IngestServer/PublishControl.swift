import LibAV
import RTMP
import Synchronization

/// What a publish of this process itself is ended by, from any thread.
///
/// An `Interrupt` cannot be taken back; there is one for each publish, and each wait between two.
final class PublishControl: Sendable {
    private struct State {
        var isCancelled = false
        var interrupt: Interrupt?
        var closing: RefusalReason?
    }

    private let state = Mutex(State())

    /// Ends the present publish and all later ones.
    func cancel() {
        let interrupt = state.withLock { state in
            state.isCancelled = true
            return state.interrupt
        }
        interrupt?.cancel()
    }

    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Why the present publish was closed, by the first who did.
    var closing: RefusalReason? { state.withLock { $0.closing } }

    /// The interrupt of a publish, or of a wait, that begins now.
    func begin() -> Interrupt {
        let interrupt = Interrupt()
        let isCancelled = state.withLock { state in
            state.interrupt = interrupt
            state.closing = nil
            return state.isCancelled
        }
        if isCancelled { interrupt.cancel() }
        return interrupt
    }

    /// Ends the publish that `interrupt` belongs to.
    func close(_ interrupt: Interrupt, _ reason: RefusalReason) {
        state.withLock { state in
            if state.interrupt === interrupt, state.closing == nil { state.closing = reason }
        }
        interrupt.cancel()
    }
}
