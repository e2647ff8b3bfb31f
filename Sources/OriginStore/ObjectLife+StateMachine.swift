package import NIOCore

/// The life of an object, and who may write it.
///
/// | state | entered when | leaves for |
/// |---|---|---|
/// | announced | a stored playlist lists it, no bytes yet | growing; aborted when no playlist lists it any more |
/// | growing | an upload opened | complete; interrupted; growing under a newer upload |
/// | interrupted | the upload broke off without its end | growing when an upload repeats it; aborted after the resume window |
/// | aborted | the resume window is over, or the repeated bytes differ | – |
/// | complete | the upload ended as its framing promises | – |
///
/// Only the newest upload writes: an older one whose connection lingers is refused from then on.
package struct ObjectLife: ~Copyable {
    package enum State: Equatable {
        case announced
        case growing(upload: Int)
        case interrupted(since: NIODeadline)
        case complete
        case aborted
    }

    package private(set) var state = State.announced

    package init() {}

    package enum OpenAction: Equatable {
        /// The upload writes from the object's first byte on.
        case write
        /// Bytes are held already: the upload must repeat them before it adds to them.
        case verifyThenWrite
        /// Complete or aborted: this object takes no upload any more; a new object has to take its place.
        case replace
    }

    package mutating func uploadOpened(_ upload: Int) -> OpenAction {
        switch state {
        case .announced:
            state = .growing(upload: upload)
            return .write
        case .growing, .interrupted:
            state = .growing(upload: upload)
            return .verifyThenWrite
        case .complete, .aborted:
            return .replace
        }
    }

    /// Whether bytes of this upload are taken.
    package func isWriting(_ upload: Int) -> Bool {
        state == .growing(upload: upload)
    }

    package mutating func uploadEnded(_ upload: Int) -> Bool {
        guard isWriting(upload) else { return false }
        state = .complete
        return true
    }

    package mutating func uploadBrokeOff(_ upload: Int, now: NIODeadline) -> Bool {
        guard isWriting(upload) else { return false }
        state = .interrupted(since: now)
        return true
    }

    /// The repeated bytes differ, or the last playlist dropped an announced object. True when readers are to be cut.
    package mutating func abandoned() -> Bool {
        switch state {
        case .complete, .aborted: return false
        case .announced, .growing, .interrupted:
            state = .aborted
            return true
        }
    }

    /// Time passes: true when the resume window of an interrupted object is over and readers are to be cut.
    package mutating func timePassed(now: NIODeadline, resumeWindow: TimeAmount) -> Bool {
        guard case .interrupted(let since) = state, now - since >= resumeWindow else { return false }
        state = .aborted
        return true
    }
}
